"""The lab "Sampler workbench", in which the steps of a sampler are adjusted and reordered."""

"""The "Sampler workbench" lab, in which the steps of a sampler are adjusted and reordered."""

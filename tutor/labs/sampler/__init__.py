"""The lab "Sampler workbench"."""

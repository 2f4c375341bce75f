"""The lab "Sampler bench"."""

"""The lab "Sampler backend"."""

"""The lab "Word vectors from scratch"."""

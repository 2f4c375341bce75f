"""The lab "One training step, slowly"."""

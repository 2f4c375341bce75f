"""The lab "Anatomy"."""

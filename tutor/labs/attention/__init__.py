"""The lab "Where heads look"."""

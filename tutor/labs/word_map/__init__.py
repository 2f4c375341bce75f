"""The lab "A map of words"."""

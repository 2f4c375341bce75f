"""The lab "Adviser"."""

"""The lab "Pieces"."""

"""The lab "Without the mask"."""

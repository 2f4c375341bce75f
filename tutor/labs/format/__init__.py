"""The lab "Constrained decoding"."""

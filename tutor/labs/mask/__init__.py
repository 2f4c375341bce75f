"""The lab "Without the causal mask"."""

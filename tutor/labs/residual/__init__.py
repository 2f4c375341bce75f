"""The lab "The residual stream"."""

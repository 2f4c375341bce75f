"""The lab "Words find their kind"."""

"""The lab "Letters and tokens"."""

"""The lab "Tokens"."""

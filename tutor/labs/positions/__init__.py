"""The lab "Positions"."""

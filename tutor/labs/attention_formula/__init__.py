"""The lab "The formula, by hand"."""

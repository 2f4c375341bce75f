"""The lab "The scale ladder"."""

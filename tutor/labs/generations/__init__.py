"""The lab "Three generations"."""

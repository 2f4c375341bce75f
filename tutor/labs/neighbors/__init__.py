"""The lab "Neighbors"."""

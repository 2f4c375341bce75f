"""The lab "Four products, with dates"."""

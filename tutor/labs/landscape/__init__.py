"""The lab "Four products, dated"."""

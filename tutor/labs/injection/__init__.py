"""The lab "Orders in a review"."""

"""The lab "Surgery"."""

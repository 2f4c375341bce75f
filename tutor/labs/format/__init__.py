"""The lab "A format by force"."""

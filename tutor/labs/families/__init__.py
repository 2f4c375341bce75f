"""The lab "Three families"."""

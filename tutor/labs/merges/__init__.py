"""The lab "Merge player"."""

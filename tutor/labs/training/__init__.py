"""The lab "Training"."""

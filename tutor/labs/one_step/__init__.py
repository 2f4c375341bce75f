"""The lab "One training step, slowly", which shows every number in a training step."""

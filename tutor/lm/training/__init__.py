"""Training: the loop, checkpoints, a history to look at, and recipes for the bundled models."""

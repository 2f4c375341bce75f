"""Training: the loop, checkpoints, the history of a run, and recipes for the bundled models."""

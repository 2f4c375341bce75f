"""The "Word vectors from scratch" lab."""

"""The user's settings: their types, the file that has them, and what overrides it."""

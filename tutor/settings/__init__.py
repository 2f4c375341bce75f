"""The user's settings: their defaults, the file that stores them, and the overrides."""

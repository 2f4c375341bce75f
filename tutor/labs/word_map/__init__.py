"""The "Map of words" lab."""

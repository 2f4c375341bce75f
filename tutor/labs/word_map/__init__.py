"""The "A map of words" lab."""

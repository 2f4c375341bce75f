"""The "Neighbors" lab."""

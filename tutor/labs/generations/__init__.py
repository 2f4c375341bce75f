"""The "Three generations" lab."""

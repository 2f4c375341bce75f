"""The "Four products, with dates" lab."""

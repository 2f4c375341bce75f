"""Define the user's settings: their types, the file that stores them, and what overrides them."""

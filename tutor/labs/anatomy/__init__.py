"""The "Anatomy of a model" lab."""

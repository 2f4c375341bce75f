"""The "Training" lab."""

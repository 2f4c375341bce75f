"""The "One training step, slowly" lab."""

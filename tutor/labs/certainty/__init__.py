"""The "Certainty and truth" lab."""

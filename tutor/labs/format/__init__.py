"""The "Constrained decoding" lab."""

"""The "Constrained decoding" lab, which forces an answer into a given format."""

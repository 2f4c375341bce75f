"""The lab "Constrained decoding", which forces an answer into a given format."""

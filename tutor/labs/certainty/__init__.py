"""The lab "Certainty and truth"."""

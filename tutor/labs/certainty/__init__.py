"""The lab "Certainty and truth", about how sure a model is and how often it is right."""

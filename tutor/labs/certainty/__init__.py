"""The "Certainty and truth" lab, about how sure a model is and how often it is right."""

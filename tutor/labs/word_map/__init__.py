"""The "Map of words" lab, which shows embeddings as points on a plane."""

"""The lab "Map of words", which shows embeddings as points on a plane."""

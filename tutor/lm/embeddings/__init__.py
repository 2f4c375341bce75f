"""Word vectors: word2vec, nearest neighbors, and a map of words."""

"""Word vectors: word2vec, nearest neighbors, a map of words."""

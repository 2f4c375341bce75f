"""Vectors of words: word2vec, nearest neighbors, a map of words."""

"""Represents words as points, for the labs about embeddings."""

"""Words as points in the embedding space, for the labs on embeddings."""

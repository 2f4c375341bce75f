"""Words as points: what the labs about embeddings share."""

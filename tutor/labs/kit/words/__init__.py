"""Words as points: code that the labs about embeddings share."""

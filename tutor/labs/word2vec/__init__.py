"""The "Word vectors from scratch" lab, which trains word vectors."""

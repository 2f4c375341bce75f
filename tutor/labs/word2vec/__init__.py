"""The lab "Word vectors from scratch", which trains word vectors."""

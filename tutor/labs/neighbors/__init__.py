"""The lab "Neighbors", which compares rows of the embedding table."""

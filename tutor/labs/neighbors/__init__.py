"""The "Neighbors" lab, which compares rows of the embedding table."""

"""The lab "One word, two sentences", which compares the vectors of one word in two contexts."""

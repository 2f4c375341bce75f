"""The "One word, two sentences" lab, which compares the vectors of one word in two contexts."""

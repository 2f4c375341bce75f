"""The lab "One word, two sentences"."""

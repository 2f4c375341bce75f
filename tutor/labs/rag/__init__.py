"""The lab "Ask about this course", on retrieval-augmented generation."""

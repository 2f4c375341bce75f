"""The "Ask about this course" lab, on retrieval-augmented generation."""

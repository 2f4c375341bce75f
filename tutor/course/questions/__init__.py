"""Questions: their types, how answers are graded, and answers as text."""

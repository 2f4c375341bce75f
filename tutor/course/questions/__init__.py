"""The question types, how their answers are graded, and answers as text."""

"""Define the question types, grade their answers, and convert answers to text."""

"""The review, which asks the questions that are due, and the list of suspended questions."""

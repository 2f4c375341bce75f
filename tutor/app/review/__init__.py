"""Reviews: the questions that are due, from all lessons."""

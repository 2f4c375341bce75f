"""A class of learners: what their teacher sees of them, and what is due."""

"""Functions that combine a course with a learner's progress, without access to screen or disk."""

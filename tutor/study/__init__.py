"""Combine a course with a learner's progress, without screen or disk."""

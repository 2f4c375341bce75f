"""Combine a course with a learner's progress, without access to the screen or the disk."""

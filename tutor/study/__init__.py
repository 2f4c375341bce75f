"""A learner in a course: what needs to know of both. Pure: no screen, no disk."""

"""Screens about progress: what learners know, and how well they remember it."""

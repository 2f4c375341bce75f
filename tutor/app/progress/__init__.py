"""Screens that show what learners have done, and how well they remember it."""

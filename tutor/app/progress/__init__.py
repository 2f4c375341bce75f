"""Screens about progress: what the learner knows, and how well they remember it."""

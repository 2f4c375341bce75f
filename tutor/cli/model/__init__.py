"""Implement the command `tutor model`."""

"""Implement the command `tutor class`."""

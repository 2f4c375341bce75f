"""Implement the command `tutor step`."""

"""Implement the command `tutor bot`."""

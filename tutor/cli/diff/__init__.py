"""Implement the command `tutor diff`."""

"""Implement the command `tutor why`."""

"""Implement the command `tutor report`."""

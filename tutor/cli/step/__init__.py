"""Implement `tutor step`."""

"""Implement `tutor class`."""

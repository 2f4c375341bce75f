"""Implement `tutor model`."""

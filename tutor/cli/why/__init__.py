"""Implement `tutor why`."""

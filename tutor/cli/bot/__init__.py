"""Implement `tutor bot`."""

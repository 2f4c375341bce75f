"""Implement `tutor diff`."""

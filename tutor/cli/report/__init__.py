"""Implement `tutor report`."""

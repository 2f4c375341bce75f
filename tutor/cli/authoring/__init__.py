"""Implement the commands for authors of lessons."""

"""Implement the command `tutor rag`."""

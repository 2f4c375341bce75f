"""Implement `tutor rag`."""

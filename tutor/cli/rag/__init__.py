"""The command `tutor rag`."""

"""The command `tutor class`."""

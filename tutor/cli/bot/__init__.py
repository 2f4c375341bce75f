"""The command `tutor bot`."""

"""The command `tutor model`."""

"""The command `tutor step`."""

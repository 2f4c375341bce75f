"""The command `tutor report`."""

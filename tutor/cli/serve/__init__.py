"""Implement `tutor serve`, which runs the app in web browsers."""

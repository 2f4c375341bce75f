"""The screen that changes the settings."""

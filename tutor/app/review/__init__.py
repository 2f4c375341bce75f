"""The review screens, which ask the questions that are due in all lessons."""

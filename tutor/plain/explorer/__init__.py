"""The stepper, the chat and the guessing game in plain mode."""

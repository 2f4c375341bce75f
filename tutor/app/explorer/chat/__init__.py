"""The conversation of the chat, as a text that one can read."""

"""The chat, which shows a conversation as readable text."""

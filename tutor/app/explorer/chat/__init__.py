"""The chat: the conversation, laid out as readable text."""

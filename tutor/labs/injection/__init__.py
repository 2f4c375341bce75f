"""The "Prompt injection" lab."""

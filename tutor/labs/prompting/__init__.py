"""The "Prompts, measured" lab."""

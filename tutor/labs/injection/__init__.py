"""The lab "Prompt injection"."""

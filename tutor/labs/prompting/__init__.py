"""The lab "Prompts, measured"."""

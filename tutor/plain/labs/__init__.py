"""Every lab in plain mode: its state as sentences, and its actions as commands."""

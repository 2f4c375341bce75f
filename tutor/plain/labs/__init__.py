"""Run any lab in plain mode: describe its state in sentences, and offer its actions as commands."""

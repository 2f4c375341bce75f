"""Prompts, tasks and scores, shared by the labs about prompting and prompt injection."""

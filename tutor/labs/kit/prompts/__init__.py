"""Prompts with tasks and scores: what the labs about prompting and prompt injection share."""

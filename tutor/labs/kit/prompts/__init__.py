"""Prompts, tasks and scores, which the labs about prompting and prompt injection share."""

"""Prompts, tasks and scores for the labs on prompting and prompt injection."""

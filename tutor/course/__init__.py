"""Read courses from lesson files, and grade the answers to their questions.

A lesson is a Markdown file with screens, labs and questions. This package imports neither Textual
nor torch.
"""

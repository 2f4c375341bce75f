"""The course: lessons as Markdown files, with screens, labs and questions, and the grading.

This package imports neither Textual nor torch.
"""

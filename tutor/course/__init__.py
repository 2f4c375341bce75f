"""The course: lessons as Markdown files, their screens, labs and questions, and how answers are
graded.

Knows nothing of Textual or torch.
"""

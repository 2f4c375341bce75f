"""Read courses, whose lessons are Markdown files with screens, labs and questions.

This package also grades answers. It imports neither Textual nor torch.
"""

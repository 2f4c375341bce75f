"""Reads lesson files: Markdown in, screens, labs and questions out."""

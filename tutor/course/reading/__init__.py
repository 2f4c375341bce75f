"""Parse lesson files: convert Markdown to screens, labs and questions."""

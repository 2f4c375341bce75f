"""Read lesson files: turn Markdown into screens, labs and questions."""

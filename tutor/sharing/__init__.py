"""Save a text with everything that the stepper shows about it, to share it with other people.

The formats are HTML, Markdown and JSON (docs/share-format.md). `tutor open` reads the JSON.
"""

"""The heart of the app: a live model, taken apart one token at a time."""

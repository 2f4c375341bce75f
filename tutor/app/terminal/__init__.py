"""Connect the app to the terminal, which may be slow, limited to ASCII, or disconnect."""

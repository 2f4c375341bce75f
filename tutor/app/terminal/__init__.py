"""The connection between the app and the terminal.

The terminal may be slow, may support only ASCII, and may disconnect at any moment.
"""

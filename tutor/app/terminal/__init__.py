"""Connects the app to the terminal: input, painting over slow connections, and a terminal that goes
away."""

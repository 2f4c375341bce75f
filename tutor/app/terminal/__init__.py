"""Between the app and the terminal: input, painting over slow lines, and a terminal that goes
away."""

"""Copy what is on the screen to the terminal's clipboard."""

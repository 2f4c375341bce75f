"""Copy what is on the screen to the clipboard of the terminal."""

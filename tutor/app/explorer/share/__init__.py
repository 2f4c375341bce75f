"""Save a text of the explorer as a file for other people."""

"""The lab "Positions", which changes the positions of a text's tokens."""

"""The "Positions" lab, which changes the positions of a text's tokens."""

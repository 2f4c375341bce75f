"""The lab "Positions", which changes the positions that the model gets."""

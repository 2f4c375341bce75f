"""What goes on behind the screens: the model that runs, and the goals that are reached."""

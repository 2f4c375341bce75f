"""Work behind the screens: the model that runs or is fetched, and the goals that are reached."""

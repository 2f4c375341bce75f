"""The list of labs, and the screen on which a lab runs."""

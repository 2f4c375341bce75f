"""The list of labs, and the screen that runs any of them."""

"""What can fill the terminal, one at a time. Screens route; widgets draw and emit messages."""

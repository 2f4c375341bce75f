"""Labs in plain mode: sentences that describe a lab's state, and commands for its actions."""

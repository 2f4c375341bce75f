"""The "Twenty continuations" lab, which compares two ways of continuing a prompt."""

"""The lab "Twenty continuations", which compares two ways of continuing a prompt."""

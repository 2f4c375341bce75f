"""The "Twenty continuations" lab."""

"""The lab "Twenty continuations"."""

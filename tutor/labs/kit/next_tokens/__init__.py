"""Two next-token distributions, before and after a change, in one table."""

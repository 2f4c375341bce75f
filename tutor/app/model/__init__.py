"""Which model runs, fetching one, and agreeing to ask a remote one."""

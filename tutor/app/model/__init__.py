"""Screens for the model: which one runs, fetching one, and consent to ask a remote one."""

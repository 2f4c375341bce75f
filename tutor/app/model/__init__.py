"""Screens for the model in use, for downloading one, and for consent to use a remote one."""

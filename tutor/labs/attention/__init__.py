"""The lab "What heads attend to"."""

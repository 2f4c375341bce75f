"""The lab "Ghost text"."""

"""The lab "Ghost text", on code completion."""

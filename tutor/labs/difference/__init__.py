"""The lab "A against B", which compares two distributions over the next token."""

"""The "A against B" lab, which compares two distributions over the next token."""

"""The "One prompt, several models" lab."""

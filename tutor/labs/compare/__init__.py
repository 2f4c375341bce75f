"""The lab "One prompt, several models", which compares the answers of up to four models."""

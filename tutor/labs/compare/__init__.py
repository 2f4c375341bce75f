"""The "One prompt, several models" lab, which compares the answers of up to four models."""

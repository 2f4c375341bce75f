"""The lab "One prompt, several models"."""

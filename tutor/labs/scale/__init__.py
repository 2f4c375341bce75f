"""The lab "The scale ladder", which compares models of very different sizes."""

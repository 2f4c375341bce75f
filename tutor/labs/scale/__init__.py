"""The "scale ladder" lab, which compares models of very different sizes."""

"""The x-ray, which shows attention weights and the logit lens for one token."""

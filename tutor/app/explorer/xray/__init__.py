"""The x-ray: attention and logit lens of one token."""

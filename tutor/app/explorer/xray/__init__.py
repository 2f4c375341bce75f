"""The x-ray: inside the forward pass of one token."""

"""The stepper, chat and x-ray, which show how a live model chooses each token."""

"""The stepper, chat and x-ray: a live model, inspected one token at a time."""

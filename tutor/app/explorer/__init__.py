"""The stepper, chat and x-ray, which inspect a live model one token at a time."""

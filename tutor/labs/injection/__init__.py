"""The lab "Prompt injection", which tests defenses against instructions in a review."""

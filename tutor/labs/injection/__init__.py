"""The "Prompt injection" lab, which tests defenses against instructions in a review."""

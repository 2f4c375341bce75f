"""The "One training step, slowly" lab, which shows every number in a training step."""

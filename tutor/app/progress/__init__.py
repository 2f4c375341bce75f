"""What the learner knows, and how well it holds."""

"""How the bundled models are trained from scratch."""

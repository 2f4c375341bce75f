"""Recipes that train the bundled models from scratch."""

"""Screens about the current model, its download, and consent to use a remote model."""

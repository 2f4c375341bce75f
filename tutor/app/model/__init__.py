"""Screens for the current model, its download, and the consent to use a remote model."""

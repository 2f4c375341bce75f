"""Widgets and drawing functions that several screens share."""

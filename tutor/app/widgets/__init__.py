"""Widgets and drawing functions that several screens use."""

"""Screens that ask the questions of a lesson, and a widget for each type of answer."""

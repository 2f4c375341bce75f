"""Asks the questions of a lesson, with the widgets that take an answer of each type."""

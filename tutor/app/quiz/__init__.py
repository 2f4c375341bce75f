"""Asking the questions of a lesson, and the widgets that each type is answered with."""

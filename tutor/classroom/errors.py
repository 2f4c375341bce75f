"""Failures to read what a class shares."""

from tutor.errors import TutorError


class ClassFileError(TutorError, title="The class file cannot be used"):
    """What is due for a class cannot be read or written."""


class PseudonymError(TutorError, title="No lasting pseudonyms"):
    """The key that pseudonyms are made with cannot be kept, or has been seen by others."""

"""Errors in reading a class's shared files."""

from tutor.errors import TutorError


class ClassFileError(TutorError, title="The class file cannot be used"):
    """The class file cannot be read or written."""


class PseudonymError(TutorError, title="No lasting pseudonyms"):
    """The key for pseudonyms cannot be stored, or others may have read it."""

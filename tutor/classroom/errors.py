"""Define errors about the files that a class shares."""

from tutor.errors import TutorError


class ClassFileError(TutorError, title="The class file cannot be used"):
    """The class file cannot be read or written."""


class PseudonymError(TutorError, title="The pseudonym key cannot be used"):
    """The key for pseudonyms cannot be stored, or other users may have read it."""

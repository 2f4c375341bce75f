"""Failures to read what a class shares."""

from __future__ import annotations

from tutor.errors import TutorError


class ClassFileError(TutorError):
    """What is due for a class cannot be read or written."""

    title = "The class file cannot be used"


class PseudonymError(TutorError):
    """The key that pseudonyms are made with cannot be kept, or has been seen by others."""

    title = "No lasting pseudonyms"

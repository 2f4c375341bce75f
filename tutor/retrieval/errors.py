"""A failure to search passages."""

from __future__ import annotations

from tutor.errors import TutorError


class RetrievalError(TutorError):
    """An index of passages cannot be made, read or found."""

    title = "The index cannot be used"

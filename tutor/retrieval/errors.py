"""The error for searching passages."""

from __future__ import annotations

from tutor.errors import TutorError


class RetrievalError(TutorError, title="The index cannot be used"):
    """An index of passages that cannot be created, read or found."""

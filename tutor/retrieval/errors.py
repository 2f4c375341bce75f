"""A failure to search passages."""

from __future__ import annotations

from tutor.errors import TutorError


class RetrievalError(TutorError, title="The index cannot be used"):
    """An index of passages cannot be made, read or found."""

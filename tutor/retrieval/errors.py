"""The error class of this package."""

from __future__ import annotations

from tutor.errors import TutorError


class RetrievalError(TutorError, title="The index cannot be used"):
    """An error that is raised if an index of passages cannot be created, read or found."""

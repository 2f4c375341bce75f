"""A failure to read a bot."""

from __future__ import annotations

from tutor.errors import TutorError


class BotError(TutorError, title="The bot cannot use this"):
    """A rule, an intent or a file of a bot cannot be used."""

"""A failure to read a bot."""

from tutor.errors import TutorError


class BotError(TutorError, title="The bot cannot use this"):
    """A rule, an intent or a file of a bot cannot be used."""

"""The error class of this package."""

from tutor.errors import TutorError


class BotError(TutorError, title="The bot cannot use this"):
    """An error that is raised if a bot cannot use a rule, an intent or a file."""

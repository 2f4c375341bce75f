"""The error for a bot's rules, intents and files."""

from tutor.errors import TutorError


class BotError(TutorError, title="The bot cannot use this"):
    """A rule, an intent or a file that a bot cannot use."""

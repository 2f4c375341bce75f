"""The error that is raised for invalid rules, intents and files of a bot."""

from tutor.errors import TutorError


class BotError(TutorError, title="The bot cannot use this"):
    """An error that is raised if a bot cannot use a rule, an intent or a file."""

"""Define the errors of the command line itself, such as a terminal that can't show the app."""

from tutor.errors import TutorError, UsageError


class LoginRefused(UsageError, title="This login only runs tutor"):
    """The client requested a command, but this login can run only tutor."""

    def __init__(self) -> None:
        super().__init__(
            "Other commands are not allowed.", "Log in without a command: `ssh -t HOST`."
        )


class TerminalError(TutorError, title="The app needs a terminal"):
    """The app can't draw its screen on this terminal, or can't read keys from it."""


class OutputError(TutorError, title="The output cannot be written"):
    """Writing to standard output failed."""

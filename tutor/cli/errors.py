"""The errors of the command line itself, such as a terminal that can't show the app."""

from tutor.errors import TutorError, UsageError


class LoginRefused(UsageError, title="This login only runs tutor"):
    """The client asked a login that only runs tutor to run another command."""

    def __init__(self) -> None:
        super().__init__(
            "Other commands are not allowed.", "Log in without a command: `ssh -t HOST`."
        )


class TerminalError(TutorError, title="The app needs a terminal"):
    """The app can't draw its screen, or read keys, on this terminal."""


class OutputError(TutorError, title="The output cannot be written"):
    """Writing to standard output failed."""

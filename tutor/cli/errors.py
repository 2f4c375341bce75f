"""Errors in the command line itself, such as wrong options or arguments."""

from tutor.errors import TutorError, UsageError


class LoginRefused(UsageError, title="This login only runs tutor"):
    """A login that only runs tutor was asked to run something else."""

    def __init__(self) -> None:
        super().__init__("Other commands are not allowed.", "Log in without one: `ssh -t HOST`.")


class TerminalError(TutorError, title="No terminal to draw on"):
    """The terminal cannot show the screen."""


class OutputError(TutorError, title="The output cannot be written"):
    """The output cannot be written to standard output."""

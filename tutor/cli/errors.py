"""Failures of the command line itself."""

from tutor.errors import TutorError, UsageError


class LoginRefused(UsageError, title="This login runs the tutor alone"):
    """A login that is the tutor alone was asked to run something else, which is not run."""

    def __init__(self) -> None:
        super().__init__("log in without a command, as in `ssh -t HOST`.")


class TerminalError(TutorError, title="No terminal to draw on"):
    """There is no terminal that the screen could be drawn on."""


class OutputError(TutorError, title="The output cannot be written"):
    """What was asked for cannot be written to standard output."""

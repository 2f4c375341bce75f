"""Failures of the command line itself."""

from __future__ import annotations

from tutor.errors import TutorError, UsageError


class LoginRefused(UsageError):
    """A login that is the tutor alone was asked to run something else, which is not run."""

    title = "This login runs the tutor alone"

    def __init__(self) -> None:
        super().__init__("log in without a command, as in `ssh -t HOST`.")


class TerminalError(TutorError):
    """There is no terminal that the screen could be drawn on."""

    title = "No terminal to draw on"


class OutputError(TutorError):
    """What was asked for cannot be written to standard output."""

    title = "The output cannot be written"

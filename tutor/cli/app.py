"""`tutor` without a command: the tutor itself."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from typing import TYPE_CHECKING

from tutor import private
from tutor.cli import lockdown
from tutor.cli.errors import TerminalError
from tutor.cli.learning import course_folder

if TYPE_CHECKING:
    from tutor.app.app import Start


def run(options: argparse.Namespace, *, start: Start = "home", lab: str | None = None) -> int:
    """The tutor, with `lab` on the screen at once if one is named."""
    check_terminal()
    private.begin()
    if options.kiosk:
        lockdown.confine(options)
    gc.disable()  # until the first screen stands: hardly anything of what is made so far goes away
    from tutor.app import lifetime
    from tutor.app.start import make_app

    return lifetime.run(
        make_app(
            options.model,
            options.learner,
            course=course_folder(options),
            ascii_only=options.ascii,
            start=start,
            lab=lab,
            allowed=lockdown.allowed(options),
            idle_minutes=lockdown.idle_minutes(options),
        )
    )


def check_terminal() -> None:
    """Raises `TerminalError` where the screen could not be drawn or no key could be read: it
    would run, but unseen."""
    streams = (
        (sys.stdin, "Standard input"),
        (sys.stdout, "Standard output"),
        (sys.stderr, "Standard error"),  # what Textual draws on
    )
    for stream, what in streams:
        if not stream.isatty():
            raise TerminalError(
                f"{what} is not a terminal, and the tutor needs one.",
                "Over SSH use `ssh -t`; `tutor step`, `tutor lessons` and `tutor progress` work "
                "without.",
            )
    # Windows sets no TERM, and its terminal can.
    if sys.platform != "win32" and os.environ.get("TERM", "dumb") in ("", "dumb", "unknown"):
        raise TerminalError(
            "This terminal cannot move its cursor (TERM is "
            f"{os.environ.get('TERM') or 'not set'}), and the tutor needs that.",
            "Set TERM to what your terminal is, for example xterm-256color.",
        )

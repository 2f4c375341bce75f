"""Open the app, for `tutor` without a command."""

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
from tutor.language import _

if TYPE_CHECKING:
    from tutor.app.app import Start
    from tutor.app.explorer.share.opening import Restored


def run(
    options: argparse.Namespace,
    *,
    start: Start | Restored = "home",
    lab: str | None = None,
) -> int:
    """Open the app and return the exit status.

    If `lab` names a lab, the app opens that lab. If `start` contains a document, the app opens it
    in the stepper.
    """
    if options.browser is not None:
        _use_browser(options.browser)
    elif options.settings.settings.plain:
        return run_plain(options, start=start, lab=lab)
    else:
        check_terminal()
    private.begin()
    if options.kiosk:
        lockdown.confine(options)
    # Until the first screen, there is hardly any garbage. The app enables the collector again after
    # that.
    gc.disable()
    from tutor.app import lifetime
    from tutor.app.start import make_app
    from tutor.app.terminal.mouse import mouse_wanted

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
            settings=options.settings,
        ),
        mouse=mouse_wanted(options.settings.settings.mouse),
        browser=options.browser is not None,
    )


def _use_browser(size: str) -> None:
    """Make the app draw in a browser instead of a terminal. Call this before importing Textual.

    `size` is the size of the page in columns and rows, such as 80x24.
    """
    columns, _, rows = size.partition("x")
    os.environ |= {
        "TEXTUAL_DRIVER": "tutor.app.terminal.browser:BrowserDriver",
        "TEXTUAL_COLOR_SYSTEM": "truecolor",
        "COLUMNS": columns,
        "ROWS": rows,
    }


def run_plain(options: argparse.Namespace, *, start: Start | Restored, lab: str | None) -> int:
    """Run plain mode, which needs no terminal."""
    private.begin()
    if options.kiosk:
        lockdown.confine(options)
    from tutor.plain import start as plain

    plain.run(
        options.model,
        options.learner,
        course=course_folder(options),
        start=start,
        lab=lab,
        allowed=lockdown.allowed(options),
        idle_minutes=lockdown.idle_minutes(options),
        settings=options.settings,
    )
    return 0


def check_terminal() -> None:
    """Raise `TerminalError` if the app can't draw its screen or read keys.

    Without this check, the app would start but not show anything.
    """
    streams = (
        (sys.stdin, _("Standard input")),
        (sys.stdout, _("Standard output")),
        (sys.stderr, _("Standard error")),  # Textual draws on standard error.
    )
    for stream, what in streams:
        if not stream.isatty():
            raise TerminalError(
                _("{what} is not a terminal.").format(what=what),
                "Run `tutor --plain` to use the whole course without one. Over SSH, use `ssh -t`.",
            )
    # Windows does not set TERM, but its terminal can move the cursor.
    if sys.platform != "win32" and os.environ.get("TERM", "dumb") in ("", "dumb", "unknown"):
        raise TerminalError(
            _("This terminal cannot move its cursor (TERM is {value}).").format(
                value=os.environ.get("TERM") or "not set"
            ),
            "Run `tutor --plain` to take the whole course in plain text. To open the app, set "
            "TERM to your terminal's type, such as xterm-256color.",
        )

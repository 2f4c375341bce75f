"""Runs the app on a terminal that may go away at any moment.

Textual handles neither SIGHUP (the connection dropped) nor SIGTERM: the process would die without
leaving the screen as it was, or, with SIGHUP ignored, spin on a dead terminal. A handler on the
event loop hangs when output is blocked. So both signals are blocked before any thread starts, one
thread waits for them and asks the app to leave, and what does not leave is ended. Nothing is lost
by that: whatever was called saved is on disk, and what was about to be is written meanwhile by the
thread that saves.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from tutor.app.terminal.idle import in_words
from tutor.app.terminal.input import take_keys_alone
from tutor.app.terminal.line import line_here
from tutor.text import safe

if TYPE_CHECKING:
    from tutor.app.app import TutorApp
    from tutor.app.terminal.idle import IdleLimit

PATIENCE = 3.0
"""Seconds that the app gets to leave by itself."""


def run(app: TutorApp) -> int:
    """Run `app` until it is left; the exit status (128 + signal number after a signal)."""
    if sys.platform != "win32":  # which has none of this: its console ends what was started in it
        signal.pthread_sigmask(signal.SIG_BLOCK, _leave_on())
        take_keys_alone()
    _ask_the_terminal_for_its_size()
    app.draw_over(line_here())
    return asyncio.run(_run(app))


def _ask_the_terminal_for_its_size() -> None:
    """COLUMNS and LINES, where somebody exports them, would come before what the terminal says,
    and stay what they are when it changes."""
    with suppress(OSError):
        if all(os.get_terminal_size()):  # a serial line may not know it
            for name in ("COLUMNS", "LINES"):
                os.environ.pop(name, None)


async def _run(app: TutorApp) -> int:
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":
        threading.Thread(target=_leave_on_signal, args=(app, loop), daemon=True).start()
    if app.idle is not None:
        threading.Thread(target=_leave_when_idle, args=(app, app.idle, loop), daemon=True).start()
    # No mouse: the terminal keeps its own selection, and a moving pointer sends nothing.
    await app.run_async(mouse=False)
    if app.crash is not None:
        from tutor.app.terminal import crash

        crash.tell(app.crash)
    _say_why_and_what_is_lost(app)
    return app.return_code or 0


def _say_why_and_what_is_lost(app: TutorApp) -> None:
    """On the terminal, which is as it was before: there is no screen left to say it on."""
    if app.idle is not None and app.idle.over:
        without = f"no key was pressed for {in_words(app.idle.seconds)}"
        saved = "" if app.untold or app.progress.unsaved else " Everything is saved."
        print(f"tutor: ended, because {without}.{saved}", file=sys.stderr)
    for error in app.untold:
        print(f"tutor: {safe(str(error))}", file=sys.stderr)
    if count := app.progress.unsaved:
        what = "change was" if count == 1 else f"{count} changes were"
        print(f"tutor: the last {what} not saved: the disk takes too long.", file=sys.stderr)


def _leave_when_idle(app: TutorApp, idle: IdleLimit, loop: asyncio.AbstractEventLoop) -> None:
    idle.watch(lambda: app.call_later(app.ask_whether_there))
    _leave(app, loop, 0)


def _leave(app: TutorApp, loop: asyncio.AbstractEventLoop, status: int) -> None:
    """From a thread. What waits for the terminal by then is not waited for."""
    last_resort = threading.Timer(PATIENCE, os._exit, (status,))  # saving has gone on meanwhile
    last_resort.daemon = True
    last_resort.start()
    loop.call_soon_threadsafe(lambda: app.exit(return_code=status))


if sys.platform != "win32":

    def _leave_on() -> set[signal.Signals]:
        return {signal.SIGHUP, signal.SIGTERM}

    def _leave_on_signal(app: TutorApp, loop: asyncio.AbstractEventLoop) -> None:
        _leave(app, loop, 128 + signal.sigwait(_leave_on()))

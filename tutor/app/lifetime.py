"""Run the app on a terminal that may disconnect at any moment.

Textual handles neither SIGHUP, which is sent when the connection drops, nor SIGTERM. Without a
handler, SIGTERM would end the process without restoring the screen, and a process that ignores
SIGHUP would use the CPU forever on a dead terminal. A handler on the event loop would hang while
output is blocked. Therefore, both signals are blocked before any thread starts. One thread waits
for them and asks the app to exit. SIGINT can have a handler on the loop: Ctrl+C is an ordinary key
while the app has the terminal, and the signal only comes from other processes.

If the learner's own editor is running, the app passes the signal on to it, and exits after it.
Otherwise, the editor would continue to use the terminal, together with the shell.

If the app does not exit in time, that thread restores the terminal and terminates the process. No
progress is lost: everything reported as saved is on disk, and the saving thread writes pending
changes in the meantime.
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
from tutor.app.terminal.input import accept_only_keys
from tutor.app.terminal.line import line_here
from tutor.app.terminal.remote_terminal import EDITOR_PATIENCE
from tutor.language import _, ngettext
from tutor.text import safe

if TYPE_CHECKING:
    from tutor.app.app import TutorApp
    from tutor.app.terminal.idle import IdleLimit

PATIENCE = 3.0
"""The maximum time, in seconds, that the app may take to exit."""


def run(app: TutorApp, *, mouse: bool = False, browser: bool = False) -> int:
    """Run `app` until it exits, and return the exit status.

    If `mouse` is true, the terminal reports mouse events. If `browser` is true, the app draws in a
    browser instead of a terminal. If a signal ended the app, the status is 128 plus the signal
    number.
    """
    # Windows has no such signals. Its console ends the programs that run in it.
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, _leave_on())
        accept_only_keys(mouse=mouse)
    _ask_the_terminal_for_its_size()
    app.draw_over(line_here(), sys.__stdout__ if browser else sys.__stderr__)
    return asyncio.run(_run(app, mouse))


def _ask_the_terminal_for_its_size() -> None:
    """Remove COLUMNS and LINES from the environment if the terminal itself reports its size.

    Textual prefers these variables to the real size, and they do not change when the size does.
    """
    with suppress(OSError):
        if all(os.get_terminal_size()):  # a serial terminal may report a size of zero
            for name in ("COLUMNS", "LINES"):
                os.environ.pop(name, None)


async def _run(app: TutorApp, mouse: bool) -> int:
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":
        threading.Thread(target=_leave_on_signal, args=(app, loop), daemon=True).start()
        # By default, asyncio cancels what the app is doing at the moment.
        loop.add_signal_handler(signal.SIGINT, _leave, app, loop, 128 + signal.SIGINT)
    if app.idle is not None:
        threading.Thread(target=_leave_when_idle, args=(app, app.idle, loop), daemon=True).start()
    await app.run_async(mouse=mouse)
    if app.crash is not None:
        from tutor.app.terminal import crash

        crash.tell(app.crash)
    _say_why_and_what_is_lost(app)
    return app.return_code or 0


def _say_why_and_what_is_lost(app: TutorApp) -> None:
    """Print why the app has exited and what was not saved. The screen must already be restored."""
    if app.idle is not None and app.idle.over:
        without = _("no key was pressed for {in_words}").format(in_words=in_words(app.idle.seconds))
        progress = app.progress
        unsaved = app.untold or progress.unsaved or progress.refused
        saved = "" if unsaved else _(" Everything is saved.")
        print(
            _("tutor: exited because {without}.{saved}").format(without=without, saved=saved),
            file=sys.stderr,
        )
    if app.editing is not None and app.editing.ended_early and app.editing.kept is not None:
        kept = _("tutor: what you wrote in your editor was saved in {folder}.")
        print(kept.format(folder=app.editing.kept), file=sys.stderr)
    refused = app.progress.refused
    for error in dict.fromkeys([*app.untold, *([refused] if refused else [])]):
        print(_("tutor: {error}").format(error=safe(str(error))), file=sys.stderr)
    if count := app.progress.unsaved:
        said = ngettext(
            "tutor: the last change was not saved because the disk took too long.",
            "tutor: the last {count} changes were not saved because the disk took too long.",
            count,
        )
        print(said.format(count=count), file=sys.stderr)


def _leave_when_idle(app: TutorApp, idle: IdleLimit, loop: asyncio.AbstractEventLoop) -> None:
    idle.watch(lambda: app.call_later(app.ask_whether_there), app.keys_read_in_editor)
    _leave(app, loop, 0)


def _leave(app: TutorApp, loop: asyncio.AbstractEventLoop, status: int) -> None:
    """Ask the app to exit, from any thread. If it does not exit in time, end the process.

    The app exits after the learner's editor, which is ended first.
    """
    # Until the timer terminates the process, the saving thread continues to save.
    last_resort = threading.Timer(PATIENCE + EDITOR_PATIENCE, _end, (app, status))
    last_resort.daemon = True
    last_resort.start()
    try:
        app.end_editor(status - 128 if status > 128 else signal.SIGTERM)
    finally:
        loop.call_soon_threadsafe(lambda: app.exit(return_code=status))


def _end(app: TutorApp, status: int) -> None:
    """End the process of an app that hangs."""
    try:
        app.restore_terminal()
    finally:
        os._exit(status)


if sys.platform != "win32":

    def _leave_on() -> set[signal.Signals]:
        return {signal.SIGHUP, signal.SIGTERM}

    def _leave_on_signal(app: TutorApp, loop: asyncio.AbstractEventLoop) -> None:
        _leave(app, loop, 128 + signal.sigwait(_leave_on()))

"""Show what the program is waiting for, on one line of standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from tutor.language import _
from tutor.text import safe

if TYPE_CHECKING:
    from tutor.models.report import OnStage, PullEvent, PullProgress

_BAR = 24
_STAGES = {
    "waiting": _("Waiting for another tutor process to download the model"),
    "fetching": _("Downloading the model"),
    "checking": _("Checking the model"),
    "converting": _("Preparing the model for this machine"),
}


class StatusLine:
    """A status line, which is rewritten in place if its stream is a terminal that supports this.

    On any other stream, each new text is printed on its own line if `always` is set, and dropped
    otherwise.
    """

    def __init__(self, stream: TextIO, *, always: bool) -> None:
        self._stream = stream
        self._rewrites = stream.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb")
        self._always = always
        self._shown = ""

    def show(self, text: str, *, figures: str = "") -> None:
        """Show `text`, followed by `figures` if the line can be rewritten in place."""
        if self._rewrites:
            self._rewrite(_fitting(f"{safe(text)}  {figures}".rstrip(), self._stream))
        elif self._always and text != self._shown:
            self._stream.write(safe(text) + "\n")
            self._stream.flush()
            self._shown = text

    def clear(self) -> None:
        if self._rewrites and self._shown:
            self._rewrite("")
            self._stream.write("\r")
            self._stream.flush()

    def _rewrite(self, text: str) -> None:
        self._stream.write("\r" + text.ljust(len(self._shown)))
        self._stream.flush()
        self._shown = text


@contextmanager
def loading() -> Iterator[OnStage]:
    """Yield a callback that shows the stages of loading a model. It does so only on a terminal."""
    from tutor.models.report import in_words

    line = StatusLine(sys.stderr, always=False)
    try:
        yield lambda stage, done=0, total=0: line.show(in_words(stage, done, total))
    finally:
        line.clear()


@contextmanager
def pulling() -> Iterator[Callable[[PullEvent], None]]:
    """Yield a callback that shows the progress of a download.

    On a terminal, it draws a progress bar. On any other stream, it prints one line per stage.
    """
    from tutor.models.report import Pulled, PullProgress

    line = StatusLine(sys.stderr, always=True)

    def show(event: PullEvent) -> None:
        if isinstance(event, PullProgress):
            line.show(_STAGES[event.stage], figures=_figures(event))
        elif isinstance(event, Pulled):
            line.clear()

    try:
        yield show
    finally:
        line.clear()


def _figures(progress: PullProgress) -> str:
    if not progress.total:
        return progress.detail
    done = bar(progress.done, progress.total)
    if progress.stage == "converting":  # The progress of this stage is not measured in bytes.
        return f"{done}  {progress.detail}"
    return _("{done}  {done2} of {total} MB").format(
        done=done, done2=progress.done // 1_000_000, total=progress.total // 1_000_000
    )


def bar(done: int, total: int) -> str:
    """Return a progress bar for `done` steps of `total`, with a percentage."""
    filled = _BAR * done // total
    return f"[{'#' * filled}{'.' * (_BAR - filled)}] {100 * done // total:3} %"


def _fitting(text: str, stream: TextIO) -> str:
    """Cut `text` to the width of the terminal, because wrapped lines can't be rewritten."""
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        columns = 0
    return text[: (columns or 80) - 1]  # Some terminals report no width, or a width of 0.

"""Send text to the terminal's clipboard with OSC 52, an escape sequence.

OSC 52 works over SSH and in tmux. A terminal may ignore it without reporting that, so the notice
shown after copying also says what to do if nothing was copied.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tutor.language import _
from tutor.text import counted, writable

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 74_994
"""The maximum size of the text to copy, in bytes.

Some terminals ignore escape sequences longer than 100,000 bytes. The sequence for a text of this
size, encoded in base64, has exactly that length.
"""


def clean(text: str) -> str:
    """Replace control characters with visible symbols, so that pasting into a shell is safe."""
    return writable(text.replace("\r\n", "\n"))


def too_long(what: str, text: str) -> str:
    """Return a message if the text is too long for a terminal, and "" otherwise."""
    size = len(text.encode("utf-8"))
    if size <= MOST:
        return ""
    return _(
        "Nothing was copied: {what} is {size} kB, but terminals accept at most {most} kB."
    ).format(what=what, size=-(-size // 1000), most=MOST // 1000)


def copied(what: str, text: str, environment: Mapping[str, str] | None = None) -> str:
    """Return the notice to show after copying, with advice in case the terminal ignores OSC 52."""
    size = counted(len(text), "character")
    advice = _advice(os.environ if environment is None else environment)
    return _("Copied {what} ({size}).").format(what=what, size=size) + f" {advice}"


def _advice(environment: Mapping[str, str]) -> str:
    if environment.get("TMUX"):
        return _("If you can't paste it, run `tmux set -s set-clipboard on` once.")
    if environment.get("STY"):
        return _(
            "GNU screen does not forward copies to your terminal. Use tmux, or select the text "
            "with the mouse."
        )
    if environment.get("TERM_PROGRAM") == "Apple_Terminal":
        return _("Terminal.app does not let apps copy. Select the text with the mouse instead.")
    return _(
        "If you can't paste it, allow OSC 52 in your terminal, or select the text with the mouse."
    )

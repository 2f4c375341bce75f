"""Decide whether the terminal reports the mouse, and ask it for as little as possible.

While a terminal reports the mouse, its own way to select text needs the Shift key, and every click
is sent over the connection. So the mouse is off over SSH unless the user switches it on.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from textual.drivers.linux_driver import LinuxDriver

from tutor.app.terminal.line import DIRECT, line_here

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tutor.settings.schema import Switch

VARIABLE = "TUTOR_MOUSE"
"""An environment variable that overrides the setting `mouse`: on, off or auto."""
_REPORTS = ("\x1b[?1002", "\x1b[?1006")
"""The modes for clicks, the wheel, and moves while a button is pressed, with decimal positions."""


def mouse_wanted(setting: Switch, environment: Mapping[str, str] | None = None) -> bool:
    """Return whether to use the mouse.

    By default, it is used unless this is an SSH session or a slow connection.
    """
    environment = os.environ if environment is None else environment
    match environment.get(VARIABLE) or setting:
        case "on":
            return True
        case "off":
            return False
    return line_here(environment) == DIRECT


class MouseDriver(LinuxDriver):
    """Textual's driver, without the reports of every move of the pointer, which are many bytes."""

    def _enable_mouse_support(self) -> None:
        self._report("h")

    def _disable_mouse_support(self) -> None:
        self._report("l")

    def _report(self, how: str) -> None:
        if self._mouse:
            self.write("".join(f"{mode}{how}" for mode in _REPORTS))
            self.flush()

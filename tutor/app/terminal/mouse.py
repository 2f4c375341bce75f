"""Use the mouse only where it is useful.

If a terminal reports mouse events to the app, users must hold Shift to select text, and every click
is sent over the connection. Over SSH, the mouse is therefore off unless the user switches it on.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tutor.app.terminal.line import DIRECT, line_here

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tutor.settings.schema import Switch

VARIABLE = "TUTOR_MOUSE"
"""An environment variable that overrides the setting `mouse`. Its value is on, off or auto."""


def mouse_wanted(setting: Switch, environment: Mapping[str, str] | None = None) -> bool:
    """Return True if the app should use the mouse.

    By default, the mouse is on, except over SSH and on slow connections.
    """
    environment = os.environ if environment is None else environment
    match environment.get(VARIABLE) or setting:
        case "on":
            return True
        case "off":
            return False
    return line_here(environment) == DIRECT

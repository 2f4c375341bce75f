"""Decides how much may be sent over the line between the program and its terminal.

The environment says which line it is:

    SSH_CONNECTION, SSH_TTY    set by the SSH server (and kept by tmux and mosh)
    TUTOR_LOW_BANDWIDTH        if not empty, the same as --low-bandwidth
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

WANTED = "TUTOR_LOW_BANDWIDTH"


@dataclass(frozen=True)
class Pacing:
    """The limits for repaints that no key caused.

    They are at least `interval` seconds apart, and more if they would exceed `rate` bytes a second.
    """

    interval: float
    rate: int


@dataclass(frozen=True)
class Line:
    """A type of line.

    `pacing` is None if the line needs no limit. `figures` are the seconds between two repaints of
    a table of numbers, since no one reads faster. `colorful` allows more than the 16 colors with
    short codes.
    """

    pacing: Pacing | None = None
    figures: float = 0.1
    colorful: bool = True


DIRECT = Line()
SSH = Line(Pacing(interval=1 / 8, rate=6000), figures=0.5)
LOW_BANDWIDTH = Line(Pacing(interval=1 / 2, rate=2000), figures=1.0, colorful=False)


def line_here(environment: Mapping[str, str] | None = None) -> Line:
    """Return the line of this process, from `environment` or its own."""
    environment = os.environ if environment is None else environment
    if environment.get(WANTED):
        return LOW_BANDWIDTH
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return SSH
    return DIRECT

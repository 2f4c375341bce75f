"""Decide how much may be sent over the connection between the program and its terminal.

Environment variables determine the type of connection:

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
    """The limits on repaints that no key press has caused.

    There are at least `interval` seconds between two of these repaints. The time is longer if more
    than `rate` bytes per second would be sent otherwise.
    """

    interval: float
    rate: int


@dataclass(frozen=True)
class Line:
    """A type of connection to the terminal.

    `pacing` is None if repaints are not limited. During a run, the screen shows a new state every
    `figures` seconds, because no one can read numbers faster. If `colorful` is false, only the 16
    colors with short escape codes are used.
    """

    pacing: Pacing | None = None
    figures: float = 0.1
    colorful: bool = True


DIRECT = Line()
SSH = Line(Pacing(interval=1 / 8, rate=6000), figures=1 / 3)
LOW_BANDWIDTH = Line(Pacing(interval=1 / 2, rate=2000), figures=1.0, colorful=False)


def line_here(environment: Mapping[str, str] | None = None) -> Line:
    """Return the type of this process's connection to its terminal.

    If `environment` is None, the process's own environment variables determine the type.
    """
    environment = os.environ if environment is None else environment
    if environment.get(WANTED):
        return LOW_BANDWIDTH
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return SSH
    return DIRECT

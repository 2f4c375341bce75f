"""What kind of line lies between the program and its terminal, and how much may be sent over it.

This is decided here once, from the environment:

    SSH_CONNECTION, SSH_TTY    set by the SSH server (and kept by tmux and mosh)
    TUTOR_LOW_BANDWIDTH        anything but nothing: as with --low-bandwidth
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

WANTED = "TUTOR_LOW_BANDWIDTH"


@dataclass(frozen=True)
class Pacing:
    """How much is sent that no key has asked for: paintings lie `interval` seconds apart, and more
    where they would be over `rate` bytes a second."""

    interval: float
    rate: int


@dataclass(frozen=True)
class Line:
    """`pacing` is None where nothing has to be saved. `figures` are the seconds between two
    paintings of a table of figures, of which nobody reads more. `colorful`: not only those 16
    colors whose names are short."""

    pacing: Pacing | None = None
    figures: float = 0.1
    colorful: bool = True


DIRECT = Line()
SSH = Line(Pacing(interval=1 / 8, rate=6000), figures=0.5)
LOW_BANDWIDTH = Line(Pacing(interval=1 / 2, rate=2000), figures=1.0, colorful=False)


def line_here(environment: Mapping[str, str] | None = None) -> Line:
    """The line that this process draws over."""
    environment = os.environ if environment is None else environment
    if environment.get(WANTED):
        return LOW_BANDWIDTH
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return SSH
    return DIRECT

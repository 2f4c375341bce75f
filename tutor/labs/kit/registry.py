"""Find labs by name. Each lab is a subpackage of `tutor.labs`, imported on first use."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import tutor.labs
from tutor.errors import LabError
from tutor.labs.kit.lab import Lab
from tutor.language import _

AnyLab = Lab[Any, Any, Any, Any]

_KIT = "kit"


@cache
def names() -> tuple[str, ...]:
    """Return the names of all labs in alphabetical order. The labs are not imported."""
    found = (each.name for each in iter_modules(tutor.labs.__path__) if each.ispkg)
    return tuple(sorted(name.replace("_", "-") for name in found if name != _KIT))


@cache
def find(name: str) -> AnyLab:
    """Return the lab with this name, in the user's language. Raises `LabError` if there is none."""
    lab: AnyLab = load_part(name, "lab").LAB
    return lab.translated()


def every() -> tuple[AnyLab, ...]:
    """Return all labs, sorted by their position in lists."""
    return tuple(sorted(map(find, names()), key=lambda lab: lab.order))


def load_part(name: str, part: str) -> Any:
    """Import a lab's module: `lab`, `backend` or `view`.

    Raises `LabError` if no lab has this name.
    """
    if name not in names():
        raise LabError(
            _("There is no lab {name!r}.").format(name=name),
            "Run `tutor lab --list` to see all labs.",
        )
    return import_module(f"tutor.labs.{name.replace('-', '_')}.{part}")

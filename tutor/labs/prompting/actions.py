"""What the learner does in the workbench of prompts."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.labs.kit.prompts.version import Part
from tutor.labs.kit.remote import Add, Remove

View = Literal["parts", "items", "prompt", "versions"]
VIEWS: tuple[View, ...] = ("parts", "items", "prompt", "versions")


class Side(msgspec.Struct, frozen=True, tag_field="do", tag="side"):
    """Work on the other version."""


class Move(msgspec.Struct, frozen=True, tag_field="do", tag="move"):
    """Look at the part, item or remembered version that is so many further down."""

    by: int


class Turn(msgspec.Struct, frozen=True, tag_field="do", tag="turn"):
    """Switch a part of this version to another choice, so many further on; without a part, the
    one in focus."""

    by: int
    part: Part | None = None


class Write(msgspec.Struct, frozen=True, tag_field="do", tag="write"):
    """A text of one's own for a part."""

    part: Part
    text: str


class Copy(msgspec.Struct, frozen=True, tag_field="do", tag="copy"):
    """Make this version the same as the other one."""


class Choose(msgspec.Struct, frozen=True, tag_field="do", tag="task"):
    """Another task: so many further on."""

    by: int


class Run(msgspec.Struct, frozen=True, tag_field="do", tag="run"):
    """Score both versions, or stop."""


class See(msgspec.Struct, frozen=True, tag_field="do", tag="see"):
    view: View


class Recall(msgspec.Struct, frozen=True, tag_field="do", tag="recall"):
    """Put the remembered version in focus on this side, with its task."""


Action = Side | Move | Turn | Write | Copy | Choose | Run | See | Recall | Add | Remove

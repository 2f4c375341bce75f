"""What the learner does in the workbench of prompts."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.labs.kit.actions import Adjust, Choose, EditText, MoveFocus, Run, ShowView, Toggle
from tutor.labs.kit.prompts.version import Part
from tutor.labs.kit.remote import Add, Remove

View = Literal["parts", "items", "prompt", "versions"]
VIEWS: tuple[View, ...] = ("parts", "items", "prompt", "versions")


class Copy(msgspec.Struct, frozen=True, tag_field="do", tag="copy"):
    """Make this version the same as the other one."""


class Recall(msgspec.Struct, frozen=True, tag_field="do", tag="recall"):
    """Put the remembered version in focus on this side, with its task."""


Action = (
    Toggle[Literal["side"]]
    | MoveFocus[Literal["row"]]
    | Adjust[Part | Literal["focus"]]
    | EditText
    | Copy
    | Choose[Literal["task"]]
    | Run
    | ShowView[View]
    | Recall
    | Add
    | Remove
)
"""A row is a part, an item or a remembered version. A dial is a part of this version, or the part
in focus; the field of a text is the part that the text is for."""

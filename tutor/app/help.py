"""The help screen, which explains every key of the screen below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from tutor.app.base_screen import TextScreen, scroll_keys
from tutor.app.theme import ACT, MUTED
from tutor.app.widgets.key_line import key_name
from tutor.app.widgets.layout import hanging

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.binding import ActiveBinding, BindingType

Key = tuple[str, str, str]
"""The name of a key, its label on the key line, and a sentence that explains the key."""

_COLUMN = 9


class HelpScreen(TextScreen):
    """A list of the keys that were active when the learner pressed `?`."""

    BINDINGS: ClassVar[list[BindingType]] = scroll_keys()

    def __init__(self, place: str, keys: Iterable[ActiveBinding]) -> None:
        super().__init__()
        self._about = place
        self._keys = keys_of(keys)

    def on_mount(self) -> None:
        self.place = f"help · {self._about}"

    def text(self, width: int) -> list[Content]:
        return [_line(key, width) for key in self._keys]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "help"


def keys_of(bindings: Iterable[ActiveBinding]) -> list[Key]:
    """Return the keys that currently have an effect, with one key per function.

    Hidden keys are included if they have a tooltip.
    """
    found: dict[str, Key] = {}
    for active in bindings:
        binding = active.binding
        if active.enabled and (binding.show or binding.tooltip):
            name = binding.key_display or key_name(binding.key)
            said = binding.tooltip or binding.action
            found.setdefault(said, (name, binding.description, binding.tooltip))
    return list(found.values())


def _line(key: Key, width: int) -> Content:
    name, word, sentence = key
    head = Content.assemble((f"{name:<{_COLUMN - 1}} ", f"bold {ACT}"))
    said = Content.assemble((word, "bold"), (f"  {sentence}" if sentence else "", MUTED))
    return hanging(head, said, max(_COLUMN + 1, width))

"""The help screen, which explains the keys that work on the screen below it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.content import Content

from tutor.app.base_screen import TextScreen, scroll_keys
from tutor.app.key_scheme import GROUPS, group_of
from tutor.app.theme import KEY, MUTED
from tutor.app.widgets.figures import fit
from tutor.app.widgets.key_names import key_name, with_keys
from tutor.app.widgets.layout import hanging
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.binding import ActiveBinding, BindingType

_GAP = 2
_MARGIN = 2
_NARROW = 60
"""The width, in columns, below which there is no separate column for labels."""


class Key(NamedTuple):
    """A row of the help screen: a key, its label, a sentence about it, and its group's index."""

    name: str
    label: str
    sentence: str
    group: int


class HelpScreen(TextScreen):
    """A list of the available keys, in groups, for the screen where the learner pressed `?`.

    `explained` are sentences about what that screen shows.
    """

    BINDINGS: ClassVar[list[BindingType]] = scroll_keys()

    def __init__(
        self, place: str, keys: Iterable[ActiveBinding], explained: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self._about = place
        self._keys = keys_of(keys)
        self._explained = explained

    def on_mount(self) -> None:
        self.place = _("help · {about}").format(about=self._about)

    def text(self, width: int) -> list[Content]:
        names = max((len(key.name) for key in self._keys), default=0) + _GAP
        labels = max((len(key.label) for key in self._keys), default=0) + _GAP
        lines: list[Content] = []
        for number, keys in groupby(self._keys, key=lambda key: key.group):
            lines += [Content("")] * bool(lines)
            lines.append(Content.styled(_(GROUPS[number].description), MUTED))
            lines += [_line(key, names, labels if width >= _NARROW else 0, width) for key in keys]
        if self._explained:
            lines += [Content(""), Content.styled(_("What the screen shows"), MUTED)]
        margin = Content(" " * _MARGIN)
        return [*lines, *(hanging(margin, Content(each), width) for each in self._explained)]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "help"


def keys_of(bindings: Iterable[ActiveBinding]) -> Sequence[Key]:
    """Return the available keys, sorted by group, with one key for each function.

    Hidden keys are included if they have a tooltip.
    """
    found: dict[str, Key] = {}
    for active in bindings:
        binding = active.binding
        if active.enabled and (binding.show or binding.tooltip):
            name = binding.key_display or key_name(binding.key)
            said = binding.tooltip or binding.action
            group = GROUPS.index(group_of(binding))
            found.setdefault(said, Key(name, _(binding.description), _(binding.tooltip), group))
    return sorted(found.values(), key=lambda key: key.group)


def _line(key: Key, names: int, labels: int, width: int) -> Content:
    """Draw the row of a key. If `labels` is 0, the label is part of the sentence."""
    name = Content.styled(" " * _MARGIN + fit(key.name, names), KEY)
    label = Content.styled(fit(key.label, labels) if labels else f"{key.label}  ", "bold")
    if labels or not key.label:
        return hanging(name + (label if labels else ""), with_keys(key.sentence), width)
    return hanging(name, label + with_keys(key.sentence), width)

"""Draw the rows and the descriptions of the settings screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import ACT, MUTED
from tutor.app.widgets import figures
from tutor.language import _, ngettext
from tutor.text import safe

if TYPE_CHECKING:
    from tutor.settings.catalogue import Entry, Value

_LABEL, _VALUE, _GAP = 20, 22, 2
_NARROW = 60
"""The width, in columns, below which a row does not show the source of a value."""
_WIDE = 100
"""The minimum width, in columns, to show long values."""


def heading_row(title: str, width: int) -> Content:
    return Content.styled(title, "bold").truncate(width, ellipsis=True)


def setting_row(entry: Entry, value: Value, source: str, width: int, now: str = "") -> Content:
    """Draw the row of a setting, with its label, its value, and the source of the value.

    `now` says what the value means at present, or is "".
    """
    label = figures.fit(entry.label, _LABEL if width >= _NARROW else min(_LABEL, width // 2))
    text = safe(entry.shown(value))
    if now:
        text = _("{value} ({now})").format(value=text, now=safe(now))
    room = width - len(label) - _GAP
    changed = value != entry.default
    parts = [Content(label), Content(" " * _GAP)]
    if width >= _NARROW:
        room = _VALUE if width < _WIDE else _VALUE * 2
    parts.append(Content.styled(figures.fit(text, room), f"bold {ACT}" if changed else ""))
    if width >= _NARROW:
        parts += [Content(" " * _GAP), Content.styled(source, MUTED)]
    return Content.assemble(*parts).truncate(width, ellipsis=True)


def about(entry: Entry, source: str, *, overridden: bool) -> Content:
    """Describe a setting, and say what overrides it."""
    lines = [Content(entry.about)]
    others = [each for each in (entry.option, entry.variable) if each]
    if overridden:
        said = _("Now set by {source}, which overrides config.toml.").format(source=source)
    else:
        said = _("In config.toml: {name}.").format(name=entry.name)
        if others:
            override = ngettext("{others} overrides it.", "{others} override it.", len(others))
            said += " " + override.format(others=_(" and ").join(others))
    lines.append(Content.styled(said, MUTED))
    return Content("\n").join(lines)

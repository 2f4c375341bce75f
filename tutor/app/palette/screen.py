"""The screen of the command palette, which works like the app's other search screens.

Textual's own palette is not used, because it ignores Enter, or runs a command from the old list, if
the key is pressed before the list has been updated.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.content import Content
from textual.fuzzy import FuzzySearch

from tutor.app.palette.commands import (
    KINDS,
    Command,
    Found,
    actions,
    find,
    places,
    saving,
    terms,
    xray,
)
from tutor.app.reader.finder import FinderScreen
from tutor.app.theme import ACT, KEY, MUTED
from tutor.app.widgets.layout import with_end
from tutor.labs.kit import registry
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import ActiveBinding

    from tutor.app.services import Navigation, Services
    from tutor.app.terminal.remote_terminal import RemoteTerminal

_TITLE = 20
_ALIGNED = 60
"""The minimum width, in columns, to align the descriptions in a column."""
_LONG_TITLE, _WIDE = 30, 100
"""The width of a title on a wide screen, and the minimum width of such a screen, in columns."""


class PaletteScreen(FinderScreen):
    """A search for the actions of the screen below, and for screens, lessons, labs and terms."""

    CSS_PATH = "../reader/finder.tcss"
    PLACEHOLDER: ClassVar[str] = _("type the name of an action, a lesson, a lab …")

    def __init__(
        self, services: Services, navigation: Navigation, active: Sequence[ActiveBinding]
    ) -> None:
        """Create the palette. `active` lists the keys that are available on the screen below it."""
        super().__init__(services, navigation)
        self._listed = actions(self.app, active)
        self._terms: Sequence[Command] = ()
        self._fuzzy = FuzzySearch()
        self._complete = False
        self._entered = False
        """Whether Enter was pressed before the list of commands was complete."""

    def on_mount(self) -> None:
        self.place = _("commands")
        self._read_all()

    @work
    async def _read_all(self) -> None:
        # This imports all labs, so it runs in a thread to avoid delaying key presses.
        await asyncio.to_thread(registry.every)
        self._listed += places(self.services, self.navigation)
        # The actions of the stepper already include the x-ray.
        if not any(each.title == _("x-ray") for each in self._listed):
            self._listed.append(xray(self.app, self.navigation))
        saves_files = cast("RemoteTerminal", self.app).saves_files
        if saves_files and not any(each.title == _("save") for each in self._listed):
            self._listed.append(saving(self.navigation))
        self._terms = terms(self.services, self.navigation)
        self._complete = True
        self.look_up(self.words)
        if self._entered:
            self.open_selected()

    def look_up(self, words: str) -> None:
        offered = [*self._listed, *self._terms] if words else self._listed
        found = find(offered, words, self._fuzzy)
        self.found([(partial(row, each), partial(self._run, each.command)) for each in found])
        self.aside = _("{count} found").format(count=len(found)) if words and self._complete else ""
        if self._complete and not found:
            self.tell(_("No action, screen, lesson, lab or term has this name."))

    def open_selected(self) -> None:
        if self._complete:
            super().open_selected()
        self._entered = not self._complete

    def _run(self, command: Command) -> None:
        """Close the palette, and run the command on the screen below it."""
        if self.leave():
            self.app.call_later(command.run)


def row(found: Found, width: int) -> Content:
    """Draw a command's line, with its title, its description and, at the right end, its key."""
    command = found.command
    column = _LONG_TITLE if width >= _WIDE else _TITLE if width >= _ALIGNED else 0
    column = column if command.about else 0
    title = Content.styled(command.title.ljust(column), "bold")
    for place in found.matched:
        title = title.stylize(f"{ACT} underline", place, place + 1)
    about = Content.styled(f"  {command.about}", MUTED) if command.about else Content("")
    sign = Content.styled(f"  {command.sign}", MUTED if command.sign in KINDS else KEY)
    return with_end(title + about, sign, width)

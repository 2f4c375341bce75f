"""The screen of the command palette.

It is a search like the others of this app, not Textual's own palette, which loses an Enter that is
typed before its list is there, or runs what was listed before.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.content import Content
from textual.fuzzy import FuzzySearch

from tutor.app.palette.commands import KINDS, Command, Found, actions, find, places, terms
from tutor.app.reader.finder import FinderScreen
from tutor.app.theme import ACT, KEY, MUTED
from tutor.labs.kit import registry
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import ActiveBinding

    from tutor.app.services import Navigation, Services

_TITLE = 20
_ALIGNED = 60
"""The width, in columns, from which the descriptions are below each other."""


class PaletteScreen(FinderScreen):
    """Finds any action of the screen below it, and any screen, lesson, lab or term."""

    CSS_PATH = "../reader/finder.tcss"
    PLACEHOLDER: ClassVar[str] = _("type the name of an action, a lesson, a lab …")

    def __init__(
        self, services: Services, navigation: Navigation, active: Sequence[ActiveBinding]
    ) -> None:
        """Create the palette. `active` has the keys that have an effect on the screen below it."""
        super().__init__(services, navigation)
        self._listed = actions(self.app, active)
        self._terms: Sequence[Command] = ()
        self._fuzzy = FuzzySearch()
        self._complete = False
        self._entered = False
        """Whether Enter was pressed before all commands were known."""

    def on_mount(self) -> None:
        self.place = _("commands")
        self._read_all()

    @work
    async def _read_all(self) -> None:
        await asyncio.to_thread(registry.every)  # imports the labs, so that no key waits for them
        self._listed += places(self.services, self.navigation)
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
        """Close the palette, and run a command on the screen below it."""
        self.app.pop_screen()
        self.app.call_later(command.run)


def row(found: Found, width: int) -> Content:
    """Return the line about a command: its title, its description, and its key at the right."""
    command = found.command
    column = _TITLE if command.about and width >= _ALIGNED else 0
    title = Content.styled(command.title.ljust(column), "bold")
    for place in found.matched:
        title = title.stylize(f"{ACT} underline", place, place + 1)
    about = Content.styled(f"  {command.about}", MUTED) if command.about else Content("")
    sign = Content.styled(f"  {command.sign}", MUTED if command.sign in KINDS else KEY)
    room = max(1, width - sign.cell_length)
    said = (title + about).truncate(room, ellipsis=True)
    return said.pad_right(room - said.cell_length) + sign

"""The base class of the x-ray's views, and helpers that several of them use."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from tutor.app.explorer.xray.inside import AskAttribution, AskXRay
from tutor.lm.attribution import Part

if TYPE_CHECKING:
    from textual.content import Content

    from tutor.app.explorer.xray.inside import ChosenHead, Findings, Request
    from tutor.labs.kit.columns import Room

NARROW = 44
"""The width, in columns, below which headings write "1/30" instead of "1 of 30"."""

ALWAYS = frozenset({"next_view", "token"})
"""The actions that apply in every view."""


class Scroll:
    """The scroll position of a list of rows."""

    def __init__(self) -> None:
        self._wanted: int | None = None
        self._first = 0

    def reset(self) -> None:
        """Scroll back to the start."""
        self._wanted = None

    def by(self, rows: int) -> None:
        """Scroll by a number of rows."""
        self._wanted = self._first + rows

    def range(self, count: int, room: int, start: int) -> range:
        """Return the rows to show. They begin at `start` unless the learner has scrolled."""
        at = start if self._wanted is None else self._wanted
        self._first = min(max(0, at), max(0, count - room))
        return range(self._first, min(count, self._first + room))


class Selection(NamedTuple):
    """The selected row and column, counted from 0. If either is None, the view chooses it.

    `toggled` is true if the learner has switched the view to its alternative order or size.
    """

    row: int | None = None
    column: int | None = None
    toggled: bool = False


class Tab(ABC):
    """A view of the x-ray, with its own selection."""

    id: ClassVar[str]
    """The view's name in saved files. It never changes."""
    name: ClassVar[str]
    """The view's name in the tab bar."""
    actions: ClassVar[frozenset[str]] = frozenset()
    """The actions that apply in this view, besides `ALWAYS`."""

    def __init__(self, chosen: ChosenHead) -> None:
        self.chosen = chosen
        self.scroll = Scroll()

    def begin(self) -> None:  # noqa: B027
        """Reset the selection, because another token is shown or explained."""

    @property
    def selection(self) -> Selection:
        """The learner's selection in this view."""
        return Selection()

    def select(self, selection: Selection) -> None:  # noqa: B027
        """Restore a selection, which may come from a file and be out of range."""

    def applies(self, action: str, found: Findings | None) -> bool:
        """Return True if a key's action has an effect in this view."""
        return action in self.actions or action in ALWAYS

    def exists(self, found: Findings | None) -> bool:
        """Return True if the model has the parts that this view shows."""
        return True

    @abstractmethod
    def ready(self, found: Findings) -> bool:
        """Return True if enough is known to draw this view."""

    @abstractmethod
    def missing(self, found: Findings) -> Request | None:
        """Return the next request that this view needs, or None if it is complete."""

    @abstractmethod
    def heading(self, found: Findings, width: int) -> Content:
        """Draw the line above the rows."""

    @abstractmethod
    def lines(self, found: Findings, room: Room) -> list[Content]:
        """Draw the rows."""

    def move(self, found: Findings, what: str, by: int) -> None:  # noqa: B027
        """Move the selection, or scroll."""

    def head(self, found: Findings) -> Part | None:
        """Return the selected head, whose attention Enter opens, or None."""
        return None


class HeadTab(Tab):
    """A view of attention, which opens at the head that contributes most."""

    def ready(self, found: Findings) -> bool:
        suggested = self.chosen.by_learner or found.attribution is not None
        return found.xray is not None and suggested

    def missing(self, found: Findings) -> Request | None:
        if found.xray is None:
            return AskXRay(self.chosen.layer)
        return None if self.ready(found) else AskAttribution()


def moved(at: int, by: int, count: int) -> int:
    """Return the index `at` plus `by`, limited to the indexes of a list of `count` items."""
    return min(max(0, at + by), max(0, count - 1))

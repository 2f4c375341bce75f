"""The keys of the course map that open other screens."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tutor.app.places import PLACES

if TYPE_CHECKING:
    from tutor.app.places import PlaceText
    from tutor.app.services import Place


class MapPlace(NamedTuple):
    """A screen that has a key on the course map."""

    key: str
    place: Place
    listed: bool = False
    """Whether the course map has a row for this screen. If so, the key line omits its key.

    With more of these rows, the lessons would not fit on 24 lines.
    """
    shown: bool = True
    """Whether the key line may show the key. If it is False, only the help screen shows the key."""

    @property
    def text(self) -> PlaceText:
        return PLACES[self.place]


MAP_PLACES = (
    MapPlace("r", "review"),
    MapPlace("s", "step", listed=True),
    MapPlace("c", "chat", listed=True),
    MapPlace("g", "guess", listed=True),
    MapPlace("l", "labs", listed=True),
    MapPlace("p", "progress"),
    MapPlace("i", "tour", shown=False),
    MapPlace("comma", "settings"),
    MapPlace("m", "model", shown=False),
)

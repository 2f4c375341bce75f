"""A map of words, on which each word is a labeled point.

Only this module requires `textual-plot`, which in turn requires NumPy. Only the views that draw a
map import it, so both packages are loaded only when one of those labs is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual_hires_canvas import Canvas
from textual_plot import PlotWidget

from tutor.app.theme import MUTED
from tutor.app.widgets.lines import Lines
from tutor.labs.kit.view import LabView
from tutor.labs.kit.words.labels import Spot, place
from tutor.language import _
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult, RenderResult
    from textual.events import Resize

    from tutor.labs.kit.words.groups import Group

MARKS = "●○▲×+"
"""The marks of the groups. Their shapes differ, so a map is readable without color."""
_GROUPS = len(MARKS)
_ROOM = 0.08
"""The margin around the points, as a fraction of the map's size. It keeps points off the frame."""
_TALL = 2.0
"""The height of a terminal cell divided by its width."""


class Named(NamedTuple):
    """A named point on the map. Its mark depends on its `group`."""

    x: float
    y: float
    name: str
    group: int


class WordPlot(PlotWidget, can_focus=False):
    """A scatter plot with named points.

    Both axes have the same scale, so distances are not distorted. Every point is drawn, but names
    that would overlap are hidden. The frame shows how many names are hidden.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "plot--axis",
        "plot--tick",
        "plot--label",
        "map--focus",
        *(f"map--group-{number}" for number in range(_GROUPS)),
    }
    DEFAULT_CSS = """
    WordPlot {
        height: 1fr; min-height: 4;
        & > .plot--axis { color: $rule; }
        & > .plot--label { color: $muted; }
        & > .map--focus { color: $accent; text-style: bold reverse; }
        & > .map--group-0 { color: $likely-5; }
        & > .map--group-1 { color: $likely-2; }
        & > .map--group-2 { color: $accent; }
        & > .map--group-3 { color: $success; }
        & > .map--group-4 { color: $error; }
    }
    """

    margin_top = reactive(0)
    margin_bottom = reactive(0)
    margin_left = reactive(0)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, allow_pan_and_zoom=False)
        self._points: Sequence[Named] = ()
        self._focus = 0
        self._center = (0.0, 0.0)
        self._factor = 1.0
        self._shown: object = None

    def on_mount(self) -> None:
        super().on_mount()
        self.set_xticks([])
        self.set_yticks([])
        self._arrange()

    def on_resize(self, event: Resize) -> None:
        self._arrange()

    def show(
        self, points: Sequence[Named], focus: int, center: tuple[float, float] | None, zoom: float
    ) -> None:
        """Show these points.

        `focus` is the index of the focused point. `center` is the map position in the middle of the
        plot, or None to center all points. A larger `zoom` shows a smaller part of the map.
        """
        shown = (points, focus, center, zoom)
        if shown == self._shown:
            return
        self._shown = shown
        self._points, self._focus, self._factor = points, focus, zoom
        if points:
            xs, ys = zip(*((point.x, point.y) for point in points), strict=True)
            self._center = center or ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)
        self._arrange()

    def _arrange(self) -> None:
        """Set the limits of both axes, and pass the points to the plot widget."""
        # The frame takes two columns and two rows.
        columns, rows = self.size.width - 2, self.size.height - 2
        self.clear()
        if not self._points or columns < 1 or rows < 1:
            return
        xs, ys = zip(*((point.x, point.y) for point in self._points), strict=True)
        # The width of a cell, as a distance on the map. The scale is the same on both axes.
        unit = max((max(xs) - min(xs)) / columns, (max(ys) - min(ys)) / (rows * _TALL), 1e-9)
        unit *= (1 + _ROOM) / self._factor
        x, y = self._center
        self.set_xlimits(x - unit * columns / 2, x + unit * columns / 2)
        self.set_ylimits(y - unit * _TALL * rows / 2, y + unit * _TALL * rows / 2)
        for group in sorted({point.group for point in self._points}):
            inside = [point for point in self._points if point.group == group]
            self.scatter(
                [point.x for point in inside],
                [point.y for point in inside],
                marker=mark(group),
                marker_style=self._style(f"map--group-{group % _GROUPS}"),
            )

    def _style(self, name: str) -> str:
        return str(self.get_component_rich_style(name, partial=True))

    def render(self) -> RenderResult:
        (canvas,) = self.query("#plot").results(Canvas)
        with canvas.batch_refresh():  # Refresh once, not after every character.
            result = super().render()
            self._write_names(canvas)
        return result

    def _write_names(self, canvas: Canvas) -> None:
        """Write the names of the points where they fit, the focused point's name first."""
        width, height = self.size.width - 2, self.size.height - 2
        if width < 1 or height < 1:
            return
        spots: list[tuple[int, Spot]] = []
        for at, point in enumerate(self._points):
            x, y = self.get_pixel_from_coordinate(point.x, point.y)
            if 1 <= x <= width and 1 <= y <= height:
                spots.append((at, Spot(x - 1, y - 1, point.name)))
        spots.sort(key=lambda pair: pair[0] != self._focus)
        places = place([spot for _, spot in spots], width, height)
        self._frame(canvas, width, height, places.count(None))
        styles = [self._style(f"map--group-{group}") for group in range(_GROUPS)]
        in_focus = self._style("map--focus")
        for (at, spot), start in zip(spots, places, strict=True):
            point = self._points[at]
            style = in_focus if at == self._focus else styles[point.group % _GROUPS]
            canvas.set_pixel(spot.x + 1, spot.y + 1, mark(point.group), style)
            if start is not None:
                _write(canvas, start[0] + 1, start[1] + 1, spot.name, style)

    def _frame(self, canvas: Canvas, width: int, height: int, hidden: int) -> None:
        """Draw a thin frame in place of the plot's own frame, with the number of hidden names."""
        style = self._style("plot--axis")
        canvas.draw_rectangle_box(0, 0, width + 1, height + 1, thickness=1, style=style)
        if hidden:
            said = _(" {names} hidden ").format(names=counted(hidden, "name"))
            _write(canvas, max(1, width - len(said)), height + 1, said, self._style("plot--label"))


class WordMapLabView(LabView):
    """The base class of lab views with a map of words, and text above and below the map."""

    DEFAULT_CSS = """
    WordMapLabView { overflow: hidden hidden; }
    """

    def compose(self) -> ComposeResult:
        yield Lines(id="lines")
        yield WordPlot(id="map")
        yield Lines(id="below")


def mark(group: int) -> str:
    return MARKS[group % _GROUPS]


def legend(groups: Sequence[Group]) -> Content:
    """Return a line with the mark and the name of each group."""
    named = "   ".join(f"{mark(place)} {group.name}" for place, group in enumerate(groups))
    return Content.styled(f"  {named}", MUTED)


def _write(canvas: Canvas, x: int, y: int, text: str, style: str) -> None:
    """Write `text` onto the canvas, starting at cell (`x`, `y`).

    A wide character occupies two cells, of which the second is left empty. A zero-width
    character is combined with the character before it.
    """
    for character in text:
        size = cell_len(character)
        if size == 0:
            canvas.set_pixel(x - 1, y, canvas.get_pixel(x - 1, y)[0] + character, style)
            continue
        canvas.set_pixel(x, y, character, style)
        if size == 2:
            canvas.set_pixel(x + 1, y, "", style)
        x += size

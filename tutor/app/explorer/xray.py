"""Inside the forward pass of one token: where it looked, and what each layer would have said."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app import theme
from tutor.app.explorer.lines import BREAKPOINTS, Lines
from tutor.app.screens.base import TutorScreen
from tutor.app.widgets import bars, figures
from tutor.errors import RequestCancelled, TutorError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.app import ComposeResult

    from tutor.lm.distribution import LensRow, Token, XRay

View = Literal["attention", "lens"]


def attention_lines(path: Sequence[Token], weights: Sequence[float], width: int) -> list[Content]:
    """One line for each token looked at: its place, the token, the weight as figure and bar."""
    place = max(3, len(str(len(weights))))
    name = max(8, min(20, width // 4))
    room = max(4, width - place - name - figures.PERCENT_WIDTH - 7)
    lines = []
    for index, weight in enumerate(weights):
        lines.append(
            Content.assemble(
                (f" {index + 1:>{place}}  ", theme.MUTED),
                figures.fit(figures.shown(path[index]), name),
                figures.percent(weight).rjust(figures.PERCENT_WIDTH),
                "  ",
                (bars.bar(weight, room), theme.likely(weight)),
            )
        )
    return lines


def lens_heading(target: Token, width: int) -> Content:
    """The names of the columns of `lens_lines`."""
    says, _ = _lens_columns(width)
    start = " layer  " + figures.fit("would say", says + figures.PERCENT_WIDTH + 3)
    return Content.assemble(
        (start, theme.MUTED),
        ("its probability for " if width >= 60 else "for ", theme.MUTED),
        figures.shown(target),
    )


def lens_lines(rows: Sequence[LensRow], width: int) -> list[Content]:
    """One line for each layer: its own first choice, and what it gives the token that came."""
    says, room = _lens_columns(width)
    return [
        Content.assemble(
            (f" {row.layer:>5}  ", theme.MUTED),
            figures.fit(figures.shown(row.top), says),
            figures.percent(row.top_probability).rjust(figures.PERCENT_WIDTH),
            "   ",
            (figures.percent(row.target_probability).rjust(figures.PERCENT_WIDTH), "bold"),
            "  ",
            (
                bars.bar(row.target_probability, room),
                theme.likely(row.target_probability),
            ),
        )
        for row in rows
    ]


def _lens_columns(width: int) -> tuple[int, int]:
    says = max(8, min(20, width // 4))
    return says, max(0, width - says - 2 * figures.PERCENT_WIDTH - 13)


def spaced(count: int, room: int) -> list[int]:
    """`room` of `count` indexes, evenly spaced, the first and the last among them."""
    if count <= room or room < 2:
        return list(range(count))
    return [round(step * (count - 1) / (room - 1)) for step in range(room)]


class XRayScreen(TutorScreen):
    """`path` is the text, `position` the token looked into (counted from 0); `ask` gets its x-ray
    from the engine and is cancelled when the screen is left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "view", "attention/lens", tooltip="Attention weights, or the logit lens."),
        Binding("up", "layer(1)", "layer", key_display="↑↓", tooltip="Choose the layer."),
        Binding("down", "layer(-1)", show=False),
        Binding("left", "head(-1)", "head", key_display="←→", tooltip="Choose the head."),
        Binding("right", "head(1)", show=False),
        Binding("o", "order", "order", tooltip="Strongest first, or in the order of the text."),
        Binding("l", "every", "all layers", tooltip="Every layer, or as many as fit."),
        Binding("k", "scroll_rows(-1)", "scroll", key_display="j/k", tooltip="Scroll the rows."),
        Binding("j", "scroll_rows(1)", show=False),
        Binding("p", "token(-1)", "token", key_display="p/n", tooltip="The token before or after."),
        Binding("n", "token(1)", show=False),
    ]
    VERTICAL_BREAKPOINTS = BREAKPOINTS
    DEFAULT_CSS = """
    XRayScreen {
        #rows { height: 1fr; }
        #about { margin-bottom: 1; }
        &.-low Rule.edge { display: none; }
        &.-low #about { margin-bottom: 0; }
    }
    """

    def __init__(
        self, path: Sequence[Token], position: int, ask: Callable[[int], Awaitable[XRay]]
    ) -> None:
        super().__init__()
        self._path = tuple(path)
        self._position = position
        self._ask = ask
        self._xray: XRay | None = None
        self._view: View = "attention"
        self._layer = 0
        self._head = 0
        self._by_weight = False
        self._every = False
        self._scroll: int | None = None

    def compose_content(self) -> ComposeResult:
        yield Lines(id="about")
        yield Lines(id="rows")

    def on_mount(self) -> None:
        self.query_one("#rows", Lines).draw_with(self._show)
        self._look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("layer", "head", "order"):
            return self._view == "attention"
        if action == "every":
            return self._view == "lens"
        return True

    @work(exclusive=True)
    async def _look(self) -> None:
        self._xray = None
        self._scroll = None
        self._show()
        try:
            xray = await self._ask(self._position)
        except RequestCancelled:
            return
        except TutorError as error:
            self.tell(error)
            return
        self.tell(None)
        self._xray = xray
        self._layer = min(self._layer, xray.layers - 1)
        self._head = min(self._head, xray.heads - 1)
        self._show()

    # --- showing ---------------------------------------------------------------------------

    def _show(self) -> None:
        name = figures.shown(self._path[self._position])
        self.place = f"x-ray  {name}  token {self._position + 1} of {len(self._path)}"
        view = self.query_one("#rows", Lines)
        room = max(1, view.size.height)
        if self._xray is None:
            self.query_one("#about", Lines).show([Content.styled("looking inside …", theme.MUTED)])
            view.show([])
            return
        self.query_one("#about", Lines).show([self._about(self._xray, name)])
        if self._view == "attention":
            lines = self._attention(self._xray, view.size.width)
            start = 0 if self._by_weight else len(lines) - room
            heading = []
        else:
            room -= 1
            rows = self._xray.lens
            if not self._every:
                rows = tuple(rows[index] for index in spaced(len(rows), room))
            lines = lens_lines(rows, view.size.width)
            start = 0
            heading = [lens_heading(self._xray.target, view.size.width)]
        at = start if self._scroll is None else self._scroll
        self._scroll = min(max(0, at), max(0, len(lines) - room))
        view.show([*heading, *lines[self._scroll : self._scroll + room]])
        self.refresh_bindings()

    def _attention(self, xray: XRay, width: int) -> list[Content]:
        weights = list(xray.weights(self._layer, self._head))
        lines = attention_lines(self._path, weights, width)
        if not self._by_weight:
            return lines
        return [lines[i] for i in sorted(range(len(lines)), key=lambda i: -weights[i])]

    def _about(self, xray: XRay, name: str) -> Content:
        if self._view == "lens":
            return Content.assemble(
                ("lens", "bold"),
                (f"  what the model would say after {name} if it stopped at a layer", theme.MUTED),
            )
        return Content.assemble(
            ("attention", "bold"),
            ("  layer ", theme.MUTED),
            (f"{self._layer + 1:>2}", "bold"),
            (f" of {xray.layers}  head ", theme.MUTED),
            (f"{self._head + 1:>2}", "bold"),
            (f" of {xray.heads}  how much {name} takes from", theme.MUTED),
        )

    # --- keys ------------------------------------------------------------------------------

    def action_view(self) -> None:
        self._view = "lens" if self._view == "attention" else "attention"
        self._scroll = None
        self._show()

    def action_layer(self, by: int) -> None:
        if self._xray is not None:
            self._layer = (self._layer + by) % self._xray.layers
            self._show()

    def action_head(self, by: int) -> None:
        if self._xray is not None:
            self._head = (self._head + by) % self._xray.heads
            self._show()

    def action_order(self) -> None:
        self._by_weight = not self._by_weight
        self._scroll = None
        self._show()

    def action_every(self) -> None:
        self._every = not self._every
        self._scroll = None
        self._show()

    def action_scroll_rows(self, by: int) -> None:
        if self._scroll is not None:
            self._scroll += by
            self._show()

    def action_token(self, by: int) -> None:
        position = min(max(self._position + by, 0), len(self._path) - 1)
        if position != self._position:
            self._position = position
            self._look()

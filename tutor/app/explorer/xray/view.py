"""The x-ray of one token: its attention weights, and what each layer would predict after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from tutor.app import theme
from tutor.app.base_screen import TutorScreen
from tutor.app.explorer.text_view import TextView
from tutor.app.explorer.xray.lines import attention_lines, lens_heading, lens_lines, spaced
from tutor.app.key_scheme import VIEW
from tutor.app.widgets import figures
from tutor.app.widgets.lines import Lines
from tutor.errors import RequestCancelled, TutorError
from tutor.labs.kit.keys import LAYERS, LEFT_RIGHT, P_N, Pair, pair
from tutor.language import _
from tutor.lm.token_tree import Step

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.app import ComposeResult

    from tutor.lm.distribution import Token, XRay

    Ask = Callable[[Sequence[Token], int, int], Awaitable[XRay]]


class XRayView(Vertical, can_focus=True):
    """A view of one token in its text, with attention weights or the logit lens below the text.

    `ask` requests the x-ray of the token at a position of a path, with the attention weights of one
    layer. If another x-ray is needed, the request is canceled.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "tab",
            "view",
            "attention/lens",
            tooltip="Switch between attention weights and the logit lens.",
        ),
        *pair(LAYERS, "layer(*)", "layer", "Choose the layer."),
        *pair(LEFT_RIGHT, "head(*)", "head", "Choose the head."),
        Binding(
            "o",
            "order",
            "sort",
            tooltip="Sort by weight or by position in the text.",
            group=VIEW,
        ),
        Binding(
            "l",
            "every",
            "all layers",
            tooltip="Show all layers, or only as many as fit.",
            group=VIEW,
        ),
        *pair(Pair("k", "j", "j/k"), "scroll_rows(*)", "scroll", "Scroll the rows."),
        *pair(P_N, "token(*)", "token", "Go to the previous or next token."),
    ]
    DEFAULT_CSS = """
    XRayView {
        height: 1fr;
        & > #rows { height: 1fr; }
        & > #words { margin-bottom: 1; }
    }
    Screen.-low XRayView > #words { margin-bottom: 0; }
    """

    @dataclass
    class Wanted(Message):
        """Posted when the learner asks for the x-ray of the token at `position`."""

        position: int

    @dataclass
    class Failed(Message):
        """Posted when the x-ray has failed. When it works again, `error` is None."""

        error: TutorError | None

    def __init__(self, ask: Ask, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._ask = ask
        self._path: tuple[Token, ...] = ()
        self._position = 0
        self._xray: XRay | None = None
        self._seen: tuple[Step, ...] = ()
        """The text whose x-ray is in `_xray`."""
        self._lens_shown = False
        self._layer = 0
        self._head = 0
        self._by_weight = False
        self._every = False
        self._scroll: int | None = None
        """The first row to show, or None if the learner has not scrolled."""
        self._first = 0
        """The first row that is shown now."""

    def compose(self) -> ComposeResult:
        yield TextView(id="words")
        yield Lines(id="about")
        yield Lines(id="rows")

    def on_mount(self) -> None:
        self.query_one("#rows", Lines).draw_with(self._show)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("layer", "head", "order"):
            return not self._lens_shown
        if action == "every":
            return self._lens_shown
        return True

    def on_text_view_clicked(self, event: TextView.Clicked) -> None:
        event.stop()
        self.post_message(self.Wanted(event.position))

    def look(self, path: Sequence[Token], position: int) -> None:
        """Show the x-ray of the token at `position` of `path`.

        The previous x-ray stays on the screen until the new one has been computed.
        """
        if (tuple(path), position) != (self._path, self._position):
            self._path, self._position = tuple(path), position
            self._look()

    @work(exclusive=True)
    async def _look(self) -> None:
        path, position = self._path, self._position
        self._show()
        try:
            xray = await self._ask(path, position, self._layer)
        except RequestCancelled:
            return
        except TutorError as error:
            self._path = ()
            self.post_message(self.Failed(error))
            return
        self.post_message(self.Failed(None))
        if self._xray is None or xray.position != self._xray.position:
            self._scroll = None
        self._xray, self._seen = xray, tuple(Step(token, "prompt") for token in path)
        self._layer = min(self._layer, xray.layers - 1)
        self._head = min(self._head, xray.heads - 1)
        self._show()

    def _show(self) -> None:
        view, about = self.query_one("#rows", Lines), self.query_one("#about", Lines)
        room = max(1, view.size.height)
        if self._xray is None:
            about.show([Content.styled(_("computing the x-ray …"), theme.MUTED)])
            view.show([])
            return
        xray = self._xray
        words = self.query_one("#words", TextView)
        rows = 1 if self.size.height < 19 else 2
        words.update(self._seen, xray.position, marks=True, rows=rows, barred=False)
        about.show([self._about(xray, figures.shown(self._seen[xray.position].token))])
        show = self._lens if self._lens_shown else self._attention
        view.show(show(xray, view.size.width, room))

    def _attention(self, xray: XRay, width: int, room: int) -> list[Content]:
        if (
            self._layer not in xray.held
        ):  # with a long text or a large model, only one layer is computed at a time
            return [Content.styled(_(" computing the x-ray …"), theme.MUTED)]
        weights = xray.weights(self._layer, self._head)
        order: Sequence[int] = range(len(weights))
        if self._by_weight:
            order = sorted(order, key=lambda index: -weights[index])
        shown = self._scrolled(len(order), room, 0 if self._by_weight else len(order) - room)
        tokens = [step.token for step in self._seen]
        return attention_lines(tokens, weights, [order[index] for index in shown], width)

    def _lens(self, xray: XRay, width: int, room: int) -> list[Content]:
        room -= 1
        rows = xray.lens
        if not self._every:
            rows = tuple(rows[index] for index in spaced(len(rows), room))
        shown = self._scrolled(len(rows), room, 0)
        lines = lens_lines(rows[shown.start : shown.stop], width)
        return [lens_heading(xray.target, width), *lines]

    def _scrolled(self, count: int, room: int, start: int) -> range:
        """Return the range of rows to show.

        It begins at `start` unless the learner has scrolled.
        """
        at = start if self._scroll is None else self._scroll
        self._first = min(max(0, at), max(0, count - room))
        return range(self._first, min(count, self._first + room))

    def _about(self, xray: XRay, name: str) -> Content:
        if self._lens_shown:
            what = [
                _("  what each layer would predict after {name}").format(name=name),
                _("  after {name}, layer by layer").format(name=name),
            ]
            return self._fitting(Content.styled(_("lens"), "bold"), what)
        place = Content.assemble(
            (_("attention"), "bold"),
            (_("  layer "), theme.MUTED),
            (f"{self._layer + 1:>2}", "bold"),
            (_(" of {layers}  head ").format(layers=xray.layers), theme.MUTED),
            (f"{self._head + 1:>2}", "bold"),
            (_(" of {heads}").format(heads=xray.heads), theme.MUTED),
        )
        return self._fitting(
            place,
            [
                _("  how much {name} attends to").format(name=name),
                _("  of {name}").format(name=name),
                "",
            ],
        )

    def _fitting(self, start: Content, ends: Sequence[str]) -> Content:
        """Return `start`, followed by the first of `ends` that fits on the same line."""
        room = self.query_one("#about").size.width - start.cell_length
        end = next((end for end in ends if cell_len(end) <= room), ends[-1])
        return Content.assemble(start, (end, theme.MUTED))

    def action_view(self) -> None:
        self._lens_shown = not self._lens_shown
        self._show_from_the_start()
        self.refresh_bindings()

    def action_order(self) -> None:
        self._by_weight = not self._by_weight
        self._show_from_the_start()

    def action_every(self) -> None:
        self._every = not self._every
        self._show_from_the_start()

    def _show_from_the_start(self) -> None:
        self._scroll = None
        self._show()

    def action_layer(self, by: int) -> None:
        if self._xray is not None:
            self._layer = min(max(0, self._layer + by), self._xray.layers - 1)
            self._show()
            if self._path and self._layer not in self._xray.held:
                self._look()

    def action_head(self, by: int) -> None:
        if self._xray is not None:
            self._head = min(max(0, self._head + by), self._xray.heads - 1)
            self._show()

    def action_scroll_rows(self, by: int) -> None:
        if self._xray is not None:
            self._scroll = self._first + by
            self._show()

    def action_token(self, by: int) -> None:
        position = min(max(self._position + by, 0), len(self._path) - 1)
        if self._path and position != self._position:
            self.post_message(self.Wanted(position))


class XRayScreen(TutorScreen):
    """A screen that shows only the x-ray.

    `path` is the text, and `position` is the position of the token to show first.
    """

    def __init__(self, path: Sequence[Token], position: int, ask: Ask) -> None:
        super().__init__()
        self._path = tuple(path)
        self._position = position
        self._ask = ask

    def compose_content(self) -> ComposeResult:
        yield XRayView(self._ask)

    def on_mount(self) -> None:
        self.query_one(XRayView).focus()
        self._look(self._position)

    def _look(self, position: int) -> None:
        name = figures.shown(self._path[position])
        self.place = _("x-ray  {name}  token {position} of {count}").format(
            name=name, position=position + 1, count=len(self._path)
        )
        self.query_one(XRayView).look(self._path, position)

    def on_xray_view_wanted(self, event: XRayView.Wanted) -> None:
        self._look(event.position)

    def on_xray_view_failed(self, event: XRayView.Failed) -> None:
        self.tell(event.error)

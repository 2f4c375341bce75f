"""Draws the lab of word vectors in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT
from tutor.app.widgets import figures
from tutor.app.widgets.lines import Lines
from tutor.app.widgets.plot import trend
from tutor.labs.kit.view import LabView
from tutor.labs.kit.words.lines import cosine
from tutor.labs.kit.words.plot import Named, WordPlot, legend
from tutor.labs.word2vec.lab import Again, Back, Focus, Go, State, Zoom, write
from tutor.text import counted, safe

if TYPE_CHECKING:
    from textual.app import ComposeResult

_LOW = 12
"""In fewer rows than this the lines around the map make room for it."""
_TREND = 12


class Word2VecView(LabView):
    """How the training goes, the map of the chosen words, and the neighbors of the one in focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "go", "run, pause", tooltip="Train; press again to pause and to go on."),
        Binding("n", "focus_by(1)", "word", key_display="n p", tooltip="Next word, or the last."),
        Binding("p", "focus_by(-1)", show=False),
        Binding("left", "back(1)", "earlier maps", key_display="←→", tooltip="Back and forth."),
        Binding("right", "back(-1)", show=False),
        Binding("l", "latest", "latest", tooltip="The map as it is now."),
        Binding("i", "zoom(1)", "zoom", key_display="i o", tooltip="Zoom in on the word, or out."),
        Binding("o", "zoom(-1)", show=False),
        Binding("s", "again(1, 0)", "other seed", tooltip="From the start, with another seed."),
        Binding("w", "again(0, 1)", "other window", tooltip="From the start: 2, 5 or 10 words."),
        Binding("e", "edit", "write", tooltip="Watch words of your own, groups with ; between."),
    ]
    DEFAULT_CSS = """
    Word2VecView { overflow: hidden hidden; }
    """

    def compose(self) -> ComposeResult:
        yield Lines(id="lines")
        yield WordPlot(id="map")
        yield Lines(id="below")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if self.state is None:
            return True
        if action == "go":
            return not self.state.finished
        return action not in ("back", "latest") or len(self.state.looks) > 1

    def action_go(self) -> None:
        self.did(Go())

    def action_focus_by(self, by: int) -> None:
        self.did(Focus(by))

    def action_back(self, by: int) -> None:
        self.did(Back(by))

    def action_latest(self) -> None:
        self.did(Back(-self.state.back))

    def action_zoom(self, steps: int) -> None:
        self.did(Zoom(steps))

    def action_again(self, seed: int, window: int) -> None:
        self.did(Again(seed, window))

    def action_edit(self) -> None:
        words = self.state.words
        text = words.written if words.own else ""
        self.write("Words to watch, with ; between groups:", text, write)

    def draw(self, state: State) -> None:
        width, low = self.columns, self.size.height < _LOW
        above = [_standing(state, width)]
        if not low:
            above += [*_figures(state).wrap(width), *legend(state.words.groups).wrap(width)]
        below = [_nearest(state, width), _map_of(state)]
        if not (low and state.done):  # the map needs the row; of the word in focus it is said below
            above += _missing(state, width)
        self.put("#lines", above)
        self.put("#below", below[:1] if low else below)
        known, look = state.known, state.shown
        if look is None or len(look.points) != len(known):
            self.query_one(WordPlot).show([], 0, None, 1.0)
            return
        points = [
            Named(x, y, safe(word), group)
            for (x, y), (word, group) in zip(look.points, known, strict=True)
        ]
        words = [word for word, _ in known]
        focused = state.words.all[state.focus]
        focus = words.index(focused) if focused in words else -1
        center = look.points[focus] if focus >= 0 and state.zoom > 1 else None
        self.query_one(WordPlot).show(points, focus, center, state.zoom)


def _standing(state: State, width: int) -> Content:
    """Seed, window, and how far the run is."""
    parts: list[tuple[str, str]] = [
        (f"  seed {state.seed}  window {state.window}", "bold"),
    ]
    now = state.now
    if now is None:
        return Content.assemble(*parts, "  …")
    share = min(1.0, state.done / now.total)
    if state.finished:
        parts.append(("   ready", RIGHT))
    elif not state.going:
        parts.append(("   paused" if state.done else "   press r to train", ACT))
    passed = f"pass {now.epoch} of {now.epochs}" if width >= 60 else ""
    if state.done or passed:
        parts.append((f"   {passed}  {share:>4.0%}", ""))
    if state.speed and width >= 60:
        parts.append((f"   {figures.count(round(state.speed))} pairs/s", MUTED))
        if state.going:
            left = (now.total - state.done) / state.speed
            parts.append((f"   about {left:.0f} s left", MUTED))
    return Content.assemble(*parts)


def _figures(state: State) -> Content:
    """The loss and how it went, and how far words of one kind have come together."""
    parts: list[tuple[str, str]] = []
    if state.losses:
        losses = [loss for _, loss in state.losses]
        parts += [(f"  loss {losses[-1]:.2f} ", ""), (trend(losses, _TREND), "$likely-3")]
    found = state.standing
    if found is not None:
        style, tick = (RIGHT, "✓") if found.clustered else ("", " ")
        parts.append((f" {tick}nearest of its kind {found.together:>4.0%}", style))
        parts.append((f"  within {cosine(found.within).strip()}", MUTED))
        parts.append((f"  between {cosine(found.between).strip()}", MUTED))
    return Content.assemble(*parts)


def _missing(state: State, width: int) -> list[Content]:
    """A line on the words that cannot be watched, where there are any."""
    parts = [counted(state.words.left_out, "word") + " left out"] if state.words.left_out else []
    if state.unknown:
        room = width - sum(len(part) + 5 for part in parts)
        parts.insert(0, figures.as_many_as_fit("not in the text: ", map(safe, state.unknown), room))
    return [Content.styled("  " + "   ".join(parts), NOT_YET)] if parts else []


def _nearest(state: State, width: int) -> Content:
    """As many neighbors of the word in focus as fit."""
    word = safe(state.words.all[state.focus])
    if state.now is None or not state.fresh:
        return Content.assemble("  ", (word, "bold"), "  …")
    if not state.now.nearest:
        return Content.assemble("  ", (word, "bold"), ("  is not in the text", NOT_YET))
    count = figures.count(state.now.vocabulary)
    of = f"  nearest of {count} words: " if width >= 60 else "  "
    parts: list[tuple[str, str]] = [("  ", ""), (word, "bold"), (of, MUTED)]
    used = sum(cell_len(text) for text, _ in parts)
    for other, value in state.now.nearest:
        shown = f"{safe(other)} {cosine(value).strip()}  "
        used += cell_len(shown)
        if used > width:
            break
        parts.append((shown, ""))
    return Content.assemble(*parts)


def _map_of(state: State) -> Content:
    if state.now is None or state.shown is None:
        return Content("")
    across, up = state.now.shares
    if state.back:
        after = figures.count(state.shown.done)
        which = f"{len(state.looks) - state.back} of {len(state.looks)}"
        return Content.styled(f"  the map after {after} pairs, {which}", ACT)
    return Content.styled(f"  the map shows {across + up:.0%} of the variance", MUTED)


VIEW = Word2VecView

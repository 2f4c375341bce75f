"""Draws what a format strikes out of the distribution, and what it costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app import theme
from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT
from tutor.app.widgets import bars, figures
from tutor.labs.format.lab import SHOWN, Rule, SetRule, State, TakeToken, UndoToken, made
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.columns import Room, clipped
from tutor.labs.kit.keys import LEFT_RIGHT, key, pair
from tutor.labs.kit.view import LabView, does
from tutor.text import counted, safe, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.labs.format.lab import Place, Row

_TOKEN, _SHORT_TOKEN = 14, 9
_MOST_BAR = 24
_LEAST_ROWS = 3
_LEAST_LEFT = 3
_CELL = 8


class FormatView(LabView):
    """The message, the format, the text so far, the rows with what is struck out, and the cost."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter", "take", "step", "Take the most probable token that is left."),
        Binding("space", "take", show=False),
        key("r", "run", "run", "Go on to the end; again: stop."),
        key("b", "undo", "back", "Take the last token away again."),
        Binding("backspace", "undo", show=False),
        *pair(LEFT_RIGHT, "choose(*, 'example')", "example", "Another format."),
        key("p", "pattern", "pattern", "Write a regular expression."),
        key("c", "choices", "choices", "Write a list of choices."),
        key("e", "edit", "message", "Write another message."),
    ]

    action_take = does(TakeToken)
    action_undo = does(UndoToken)

    def action_pattern(self) -> None:
        self._write_rule(r"A pattern, such as \d{4}:", "pattern")

    def action_choices(self) -> None:
        self._write_rule("Choices, with | between them:", "choices")

    def _write_rule(self, label: str, kind: Literal["pattern", "choices"]) -> None:
        def set_rule(text: str) -> SetRule:
            made(Rule(kind, text))  # or it says, while it can be mended, why that is no format
            return SetRule(Rule(kind, text))

        rule: Rule = self.state.rule
        self.write(label, rule.text if rule.kind == kind else "", set_rule)

    def action_edit(self) -> None:
        self.write("A message to the model:", self.state.message, EditText)

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        room = Room(width, height)
        cut = "…" if state.left_out else ""
        message = cut + " ".join(safe(state.message).split())
        above = [
            Content.styled(clipped(message, width), "bold"),
            _rule(state.rule, width),
            *_text(state, width, 1 if room.low else 3),
            _standing(state, room),
        ]
        below = _costs(state, room)
        if room.low:
            return [*above, *_rows(state, room, _LEAST_ROWS), *below]
        rows = min(SHOWN, max(_LEAST_ROWS, height - len(above) - len(below) - 2))
        return [*above, *_rows(state, room, rows), Content(""), *below]


def _rule(rule: Rule, width: int) -> Content:
    text = rule.text if rule.kind == "pattern" else " | ".join(rule.choices)
    return Content.assemble((f"{rule.kind:<9}", MUTED), (clipped(safe(text), width - 9), ACT))


def _text(state: State, width: int, rows: int) -> list[Content]:
    """What is written, its end at least, with the cursor where it goes on."""
    cursor = "" if state.finished else "▏"
    text = safe(state.text.decode("utf-8", "replace").replace("\n", "⏎"))
    lines = Content(text + cursor).wrap(width - 9)[-rows:]
    return [
        Content.assemble((f"{'so far' if not number else '':<9}", MUTED), line.rstrip())
        for number, line in enumerate(lines or [Content(cursor)])
    ]


def _standing(state: State, room: Room) -> Content:
    """Whether the format is kept by now, and what the mask does here."""
    place = state.place
    if state.finished:
        ended = "   Whether it is true, no format can say." if room.roomy else ", true or not"
        return Content.assemble(("✓ in the format", RIGHT), (ended, MUTED))
    if state.full:
        return Content.styled(
            f"{counted(len(state.written), 'token')}: this is where it stops.", ""
        )
    if place is None:
        return Content.styled("The model reads, and every token is tried.", MUTED)
    if state.stuck:
        return Content.styled("× no token fits here: the vocabulary has none for it", NOT_YET)
    left = f"{figures.count(place.allowed)} of {figures.count(place.vocabulary)}"
    taken = figures.percent(place.removed)
    if not room.roomy:
        return Content.assemble((f"{left} left, ", MUTED), f"{taken} taken")
    end = "may end here" if place.whole else "may not end yet"
    return Content.assemble(
        (f"{left} tokens left   the mask takes ", MUTED), (taken, "bold"), (f"   {end}", MUTED)
    )


def _rows(state: State, room: Room, count: int) -> list[Content]:
    """The most probable before the mask, struck out where it removes them, and the first of those
    that are left, even where they stand far below."""
    place = state.place
    if state.finished:
        return []
    if place is None:
        return [Content("")] * (count + 1)
    name = _TOKEN if room.roomy else _SHORT_TOKEN
    bar = min(_MOST_BAR, room.width - name - 36) if room.roomy else 0
    heading = f"  {'rank':>6}  {'token':<{name}}{'before':>9}{'after':>9}"
    legend = "  █ stays ▒ gained ╌ lost" if room.roomy else ""
    best = place.kept[0].id if place.kept else -1
    shown = [_row(row, row.id == best, name, bar) for row in _listed(place, count)]
    return [Content.styled(heading + legend, MUTED), *shown, *[Content("")] * (count - len(shown))]


def _listed(place: Place, count: int) -> list[Row]:
    """By rank: the first rows, and in the place of the last of them as many of those that are left
    as it takes to see `_LEAST_LEFT`."""
    above = place.rows[:count]
    seen = sum(row.after > 0 for row in above)
    below = [row for row in place.kept if row not in above][: max(0, _LEAST_LEFT - seen)]
    return [*above[: count - len(below)], *below]


def _row(row: Row, next_: bool, size: int, bar: int) -> Content:
    """Struck out where the mask removes it: a mark, a line through it, and no figure after."""
    gone = not row.after
    name = clipped(visible(row.data) or "∅", size - 1)
    pad = " " * (size - Content(name).cell_length)
    likely = theme.likely(row.after) if not gone else MUTED
    parts: list[str | tuple[str, str]] = [
        ("› " if next_ else "× " if gone else "  ", f"{ACT} bold" if next_ else NOT_YET),
        (f"{figures.count(row.rank):>6}  ", MUTED),
        (name, f"{MUTED} strike" if gone else "bold" if next_ else ""),
        pad,
        (f"{figures.percent(row.before):>9}", MUTED),
        (f"{'×' if gone else figures.percent(row.after):>9}", MUTED if gone else ""),
    ]
    if bar:
        solid, gained, lost = bars.change(row.before, row.after, bar)
        parts += ["  ", (solid, likely), (gained, likely), (lost, MUTED)]
    return Content.assemble(*parts)


def _costs(state: State, room: Room) -> list[Content]:
    """What the mask took before each token, and both texts by the model's own measure."""
    fitting = max(1, (room.width - 9) // _CELL)
    recent = list(zip(state.written, state.removed, strict=True))[-fitting:]
    tokens = "".join(f"{_cell(row):>{_CELL}}" for row, _ in recent)
    taken = "".join(f"{_percent(share):>{_CELL}}" for _, share in recent)
    bound = _cost("format", len(state.written), state.log_probability, room)
    free = _cost("free", len(state.free.ids), state.free.total, room)
    said = safe(" ".join(state.free.text.split()))
    more = clipped(f"  {said}", room.width - free.cell_length) if room.roomy else ""
    lines = [bound, Content.assemble(free, (more, MUTED))]
    if state.written:
        label = "token …" if len(state.written) > fitting else "token"
        lines[:0] = [
            Content.assemble((f"{label:<9}", MUTED), tokens),
            Content.assemble(("taken    ", MUTED), (taken, MUTED)),
        ]
    return lines


def _cell(row: Row) -> str:
    return figures.fit("(end)" if row.end else visible(row.data) or "∅", _CELL - 1).strip()


def _percent(share: float) -> str:
    """In few columns: a share below half a per mille is none that could be felt."""
    if share >= 0.9995:
        return ">99.9"
    return f"{100 * share:.1f} %"


def _cost(name: str, tokens: int, total: float, room: Room) -> Content:
    if not tokens:
        return Content.assemble((f"{name:<9}", MUTED), ("nothing yet", MUTED))
    bits = -total / math.log(2)
    mean = f"{bits / tokens:>6.2f} a token"
    return Content.assemble(
        (f"{name:<9}", MUTED),
        f"{counted(tokens, 'token'):>10}" if room.roomy else f"{tokens:>3}",
        f"{bits:>8.1f} bits",
        (mean, MUTED),
    )


VIEW = FormatView

"""The view of the "Constrained decoding" lab."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app import theme
from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT
from tutor.app.widgets import bars, figures
from tutor.labs.format.lab import EXAMPLES, SHOWN, Rule, SetRule, State, TakeToken, UndoToken, made
from tutor.labs.kit.actions import EditText
from tutor.labs.kit.columns import Room, clipped
from tutor.labs.kit.keys import key, run_and_stop
from tutor.labs.kit.view import LabView, Offered, does
from tutor.language import _
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
    """A view of the message, the format, the answer, the masked tokens, and the surprisal."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter", "take", "step", "Take the most probable token that the format allows."),
        Binding("space", "take", show=False),
        *run_and_stop("r", "run", _("Generate the rest of the answer.")),
        key("u", "undo", "undo", "Undo the last token."),
        Binding("b,backspace", "undo", show=False),
        key("x", "choose(1, 'example')", "example", "Load the next example format."),
        Binding("right", "choose(1, 'example')", show=False),
        Binding("left", "choose(-1, 'example')", show=False),
        key("p", "pattern", "pattern", "Edit the format as a regular expression."),
        key("c", "choices", "choices", "Edit the format as a list of choices."),
        key("e", "edit", "edit", "Edit the message to the model."),
    ]
    OFFERED: ClassVar[Offered[State]] = {"undo": lambda state: bool(state.written)}

    def runs(self, state: State) -> bool:
        return state.owed > 1

    action_take = does(TakeToken)
    action_undo = does(UndoToken)

    def action_pattern(self) -> None:
        self._write_rule(r"Regular expression, such as \d{4}:", "pattern")

    def action_choices(self) -> None:
        self._write_rule(_("Choices, separated by |:"), "choices")

    def _write_rule(self, label: str, kind: Literal["pattern", "choices"]) -> None:
        def set_rule(text: str) -> SetRule:
            made(Rule(kind, text))  # The input field shows any error.
            return SetRule(Rule(kind, text))

        rule: Rule = self.state.rule
        sample = next(each.text for each in EXAMPLES if each.kind == kind)
        self.write(kind, label, rule.text if rule.kind == kind else "", set_rule, sample=sample)

    def action_edit(self) -> None:
        self.write("message", _("Message to the model:"), self.state.message, EditText)

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        room = Room(width, height)
        cut = "…" if state.left_out else ""
        message = cut + " ".join(safe(state.message).split())
        above = [
            Content.styled(clipped(message, width), "bold"),
            _rule(state.rule, width),
            *_text(state, width, 1 if room.low else 3),
            _status(state, room),
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
    """Return the last lines of the answer, with a cursor at the end if it is incomplete."""
    cursor = "" if state.finished else "▏"
    text = safe(state.text.decode("utf-8", "replace").replace("\n", "⏎"))
    lines = Content(text + cursor).wrap(width - 9)[-rows:]
    return [
        Content.assemble((f"{_('so far') if not number else '':<9}", MUTED), line.rstrip())
        for number, line in enumerate(lines or [Content(cursor)])
    ]


def _status(state: State, room: Room) -> Content:
    """Return a line about the answer.

    It says whether the answer matches the format, and how much probability the mask removes at this
    position.
    """
    place = state.place
    if state.finished:
        ended = _("   That doesn't make it true.") if room.roomy else _(", true or not")
        return Content.assemble((_("✓ matches the format"), RIGHT), (ended, MUTED))
    if state.full:
        return Content.styled(
            _("Stopped at the limit of {tokens}.").format(
                tokens=counted(len(state.written), "token")
            ),
            "",
        )
    if place is None:
        return Content.styled(_("Testing every token…"), MUTED)
    if state.stuck:
        how = _(" Press x for another format.") if room.roomy else ""
        return Content.styled(_("× The format allows no token here.") + how, NOT_YET)
    left = _("{allowed} of {vocabulary}").format(
        allowed=figures.count(place.allowed), vocabulary=figures.count(place.vocabulary)
    )
    taken = figures.percent(place.removed)
    if not room.roomy:
        return Content.assemble(
            (_("{left} allowed, ").format(left=left), MUTED),
            _("{taken} removed").format(taken=taken),
        )
    end = _("can end here") if place.whole else _("can't end yet")
    return Content.assemble(
        (_("{left} allowed   the mask removes ").format(left=left), MUTED),
        (taken, "bold"),
        (f"   {end}", MUTED),
    )


def _rows(state: State, room: Room, count: int) -> list[Content]:
    """Return a table of the most probable tokens, in which masked tokens are struck out.

    The most probable allowed tokens are always included.
    """
    place = state.place
    if state.finished:
        return []
    if place is None:
        return [Content("")] * (count + 1)
    name = _TOKEN if room.roomy else _SHORT_TOKEN
    bar = min(_MOST_BAR, room.width - name - 36) if room.roomy else 0
    heading = f"  {_('rank'):>6}  {_('token'):<{name}}{_('before'):>9}{_('after'):>9}"
    legend = _("  █ kept ▒ gained ╌ lost") if room.roomy else ""
    best = place.kept[0].id if place.kept else -1
    shown = [_row(row, row.id == best, name, bar) for row in _listed(place, count)]
    return [Content.styled(heading + legend, MUTED), *shown, *[Content("")] * (count - len(shown))]


def _listed(place: Place, count: int) -> list[Row]:
    """Return the `count` most probable tokens.

    If fewer than `_LEAST_LEFT` of them are allowed, the last tokens in the list are replaced with
    the next most probable allowed tokens.
    """
    above = place.rows[:count]
    seen = sum(row.after > 0 for row in above)
    below = [row for row in place.kept if row not in above][: max(0, _LEAST_LEFT - seen)]
    return [*above[: count - len(below)], *below]


def _row(row: Row, next_: bool, size: int, bar: int) -> Content:
    """Return one row of the table.

    A masked token is struck out, and its probability is replaced with `×`.
    """
    gone = not row.after
    name = clipped(visible(row.data) or "∅", size - 1)
    pad = " " * (size - Content(name).cell_length)
    likely = theme.likely(row.after) if not gone else MUTED
    parts: list[str | tuple[str, str]] = [
        ("› " if next_ else "× " if gone else "  ", f"{ACT} bold" if next_ else NOT_YET),
        (f"{figures.count(row.rank):>6}  ", MUTED),
        (name, _("{muted} strike").format(muted=MUTED) if gone else "bold" if next_ else ""),
        pad,
        (f"{figures.percent(row.before):>9}", MUTED),
        (f"{'×' if gone else figures.percent(row.after):>9}", MUTED if gone else ""),
    ]
    if bar:
        solid, gained, lost = bars.change(row.before, row.after, bar)
        parts += ["  ", (solid, likely), (gained, likely), (lost, MUTED)]
    return Content.assemble(*parts)


def _costs(state: State, room: Room) -> list[Content]:
    """Return lines with the surprisal of both answers, and the probability mass that is masked.

    The mass is shown for each of the latest tokens of the constrained answer.
    """
    fitting = max(1, (room.width - 9) // _CELL)
    recent = list(zip(state.written, state.removed, strict=True))[-fitting:]
    tokens = "".join(f"{_cell(row):>{_CELL}}" for row, __ in recent)
    taken = "".join(f"{_percent(share):>{_CELL}}" for __, share in recent)
    bound = _cost(_("format"), len(state.written), state.log_probability, room)
    free = _cost(_("free"), len(state.free.ids), state.free.total, room)
    said = safe(" ".join(state.free.text.split()))
    more = clipped(f"  {said}", room.width - free.cell_length) if room.roomy else ""
    lines = [bound, Content.assemble(free, (more, MUTED))]
    if state.written:
        label = _("token …") if len(state.written) > fitting else _("token")
        lines[:0] = [
            Content.assemble((f"{label:<9}", MUTED), tokens),
            Content.assemble((_("removed  "), MUTED), (taken, MUTED)),
        ]
    return lines


def _cell(row: Row) -> str:
    return figures.fit(_("(end)") if row.end else visible(row.data) or "∅", _CELL - 1).strip()


def _percent(probability: float) -> str:
    """Format a probability as a percentage of at most 7 characters."""
    if probability >= 0.9995:
        return ">99.9"
    return f"{100 * probability:.1f} %"


def _cost(name: str, tokens: int, total: float, room: Room) -> Content:
    if not tokens:
        return Content.assemble((f"{name:<9}", MUTED), (_("nothing yet"), MUTED))
    bits = -total / math.log(2)
    mean = _("{bits:>6.2f}/token").format(bits=bits / tokens)
    return Content.assemble(
        (f"{name:<9}", MUTED),
        f"{counted(tokens, 'token'):>10}" if room.roomy else f"{tokens:>3}",
        _("{bits:>8.1f} bits").format(bits=bits),
        (mean, MUTED),
    )


VIEW = FormatView

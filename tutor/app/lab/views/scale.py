"""Draws the scale ladder."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from tutor.app.lab.view import LabView
from tutor.app.theme import ACT, MUTED, NOT_YET, likely
from tutor.app.widgets import bars, figures
from tutor.app.widgets.meter import meter
from tutor.labs.lab import Write
from tutor.labs.scale import (
    BEST,
    PARAGRAPH,
    QUANTITIES,
    Focus,
    Measure,
    Other,
    Paragraph,
    Quantity,
    See,
    State,
    ladder,
)
from tutor.text import counted, safe, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.labs.scale import Rung

HEADINGS: dict[Quantity, str] = {
    "parameters": "weights",
    "bytes": "bytes",
    "tokens": "tokens",
    "compute": "compute",
}
_LABEL = 12
_COLUMN = 24
_NARROWEST = 12
_NAME = 23
_FIGURE = 9
_DECADES = 26
"""The bars of the ladder go from 1 to 10 to this power."""
_WIDEST_BAR = 52
_LOW, _HIGH = 12, 24
_ABOVE_GUESSES = 7
_METER = 20


class ScaleView(LabView):
    """What a text costs each model, side by side; or the ladder of what the models were made of."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "see", "ladder / text", tooltip="The text as it is read, or the ladder."),
        Binding("e", "edit", "write", tooltip="Let them read a text of your own."),
        Binding("p", "paragraph", "the paragraph", tooltip="The text that none was trained on."),
        Binding("o", "other", "other model", tooltip="Let another installed model read it too."),
        Binding("right", "measure(1)", "bars of", key_display="←→", tooltip="What the bars show."),
        Binding("left", "measure(-1)", show=False),
        Binding("down", "focus_by(1)", "source", key_display="↑↓", tooltip="Where it is from."),
        Binding("up", "focus_by(-1)", show=False),
    ]

    def action_see(self) -> None:
        self.did(See("ladder" if self.state.view == "text" else "text"))

    def action_edit(self) -> None:
        text = "" if self.state.text == PARAGRAPH else self.state.text
        self.write("A text, to be read by all of them:", text, Write)

    def action_paragraph(self) -> None:
        self.did(Paragraph())

    def action_other(self) -> None:
        self.did(Other())

    def action_measure(self, by: int) -> None:
        self.did(Measure(by))

    def action_focus_by(self, by: int) -> None:
        self.did(Focus(by))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        state: State | None = self.state
        if state is None:
            return True
        if action in ("measure", "focus_by"):
            return state.view == "ladder"
        if action == "other":
            return bool(state.others) or state.other is not None
        return action != "paragraph" or state.text != PARAGRAPH

    def lines(self, state: State, width: int, height: int) -> Sequence[Content]:
        if state.view == "ladder":
            return _ladder(state, width)
        return _text(state, width, height)


# --- the text -------------------------------------------------------------------------------------


def _text(state: State, width: int, height: int) -> list[Content]:
    low = height < _LOW
    read = Content(visible(state.text.encode()).replace("␣", " ")).wrap(width)
    lines = [line.rstrip() for line in read][: 1 if low else 2 if height < _HIGH else 10]
    if len(read) > len(lines):
        lines[-1] = Content(figures.fit(lines[-1].plain, width - 1).rstrip() + "…")
    if state.left_out:
        lines.append(Content.styled(f"{counted(state.left_out, 'byte')} more are left out.", MUTED))
    if not low:
        lines.append(Content(""))
    if not state.readers:
        return [*lines, Content.styled("being read", MUTED)]
    if low:
        return [*_other(state, width), *_table(state, width, BEST), *lines]
    below = _other(state, width) or _waiting(state, width)
    rows = height - len(lines) - len(below) - _ABOVE_GUESSES
    return [*lines, *_table(state, width, max(1, min(BEST, rows))), *below]


def _table(state: State, width: int, guesses: int) -> list[Content]:
    """A column a model, the largest at the right; where it is narrow, the smallest are left out."""
    fitting = max(1, (width - _LABEL) // _NARROWEST)
    readers = state.readers[-fitting:]
    column = min(_COLUMN, (width - _LABEL) // len(readers))
    lines = [
        _row(
            "",
            [figures.fit(reading.name, column - 1).strip() for reading in readers],
            column,
            "bold",
        ),
        _row("bits a byte", [f"{reading.bits_a_byte:.3f}" for reading in readers], column, "bold"),
        _row("bits in all", [f"{reading.bits:.1f}" for reading in readers], column),
        _row("tokens", [figures.count(reading.pieces) for reading in readers], column),
        _row("perplexity", [_large(reading.perplexity) for reading in readers], column),
        Content.styled(f"{'and then?':<{_LABEL}}", MUTED),
        _row("entropy", [f"{reading.entropy:.2f} bits" for reading in readers], column),
    ]
    for place in range(guesses):
        parts: list[tuple[str, str] | str] = [(f"{place + 1:>{_LABEL - 2}}  ", MUTED)]
        for reading in readers:
            guess = reading.best[place]
            share = figures.percent(guess.probability)
            token = figures.fit(visible(guess.data) or "∅", column - 10)
            parts += [f" {token}", (f"{share:>8} ", likely(guess.probability))]
        lines.append(Content.assemble(*parts))
    return lines


def _row(label: str, values: Sequence[str], column: int, style: str = "") -> Content:
    parts = [(f"{value:>{column - 1}} ", style) for value in values]
    return Content.assemble((f"{label:<{_LABEL}}", MUTED), *parts)


def _large(value: float) -> str:
    return f"{value:.1f}" if value < 1e5 else f"{value:.1e}"


def _other(state: State, width: int) -> list[Content]:
    """How far the other model is, or why it does not read."""
    name = (f"{safe(state.other or '')}: ", "bold")
    if state.refused:
        said = Content.assemble(name, (safe(state.refused), NOT_YET))
        return [line.rstrip() for line in said.wrap(width)]
    if state.other is None or "other" in state.readings:
        return []
    coming = state.coming
    said = Content.assemble(name, ("is next" if coming is None else coming.doing, MUTED))
    if coming is None or not coming.total:
        return [said]
    far = f"  {coming.done / coming.total:>4.0%}"
    if coming.seconds is not None:
        far += f"  about {coming.seconds:.0f} s"
    bar = meter(coming.done / coming.total, min(_METER, width - len(far)))
    return [said, Content.assemble(bar, (far, MUTED))]


def _waiting(state: State, width: int) -> list[Content]:
    if not state.complete:
        return [Content.styled("the others are reading", MUTED)]
    if state.others and state.other is None:
        names = map(safe, state.others)
        said = figures.as_many_as_fit("o lets another model read too: ", names, width)
    elif state.readings["yours"] is None:
        said = "Yours joins them when the lab “training” has trained one."
    else:
        said = "Perplexity is a token’s, be it a letter or a word: compare bits."
    return [Content.styled(said, MUTED)]


# --- the ladder -----------------------------------------------------------------------------------


def _ladder(state: State, width: int) -> list[Content]:
    rungs = ladder(state)
    name = _NAME if width >= _NAME + 4 * _FIGURE else max(12, width - 2 - 2 * _FIGURE)
    quantity = QUANTITIES[state.quantity]
    shown = QUANTITIES if width >= _NAME + 4 * _FIGURE else _two(quantity)
    left = width - 2 - name - _FIGURE * len(shown) - 2
    bar = min(_WIDEST_BAR, left) if left >= 8 else 0
    heading: list[tuple[str, str] | str] = [(f"  {'':<{name}}", "")]
    for each in shown:
        style = "bold" if each == quantity else MUTED
        heading.append((f"{HEADINGS[each]:>{_FIGURE}}", style))
    if bar:
        heading.append((f"  1 … 10^{_DECADES}", MUTED))
    lines = [Content.assemble(*heading)]
    for place, rung in enumerate(rungs):
        lines.append(_rung(rung, place == state.rung, name, shown, quantity, bar))
    focused = rungs[min(state.rung, len(rungs) - 1)]
    return [*lines, Content(""), *_source(focused, width)]


def _two(quantity: Quantity) -> tuple[Quantity, ...]:
    return ("parameters", "compute") if quantity == "parameters" else ("parameters", quantity)


def _rung(
    rung: Rung, here: bool, name: int, shown: Sequence[Quantity], quantity: Quantity, bar: int
) -> Content:
    parts: list[tuple[str, str] | str] = [
        ("› " if here else "  ", f"{ACT} bold"),
        (figures.fit(rung.name, name - 1) + " ", "bold" if here else ""),
    ]
    for each in shown:
        text = _figure(rung, each)
        parts.append((f"{text:>{_FIGURE}}", "bold" if each == quantity else ""))
    value = _value(rung, quantity)
    fraction = math.log10(value) / _DECADES if value else 0.0
    if bar:
        parts.append((f"  {bars.bar(fraction, bar)}", ACT if rung.here else MUTED))
    return Content.assemble(*parts)


def _value(rung: Rung, quantity: Quantity) -> float | None:
    values = {
        "parameters": rung.parameters,
        "bytes": rung.bytes,
        "tokens": rung.tokens,
        "compute": rung.compute,
    }
    return values[quantity]


def _figure(rung: Rung, quantity: Quantity) -> str:
    value = _value(rung, quantity)
    if value is None:
        return "?"
    if quantity == "compute":
        return f">{value:.0e}" if rung.estimate else f"{value:.1e}"
    return _short(value)


def _short(value: float) -> str:
    """Three digits and k, M, B (10^9) or T (10^12)."""
    for power, sign in ((12, " T"), (9, " B"), (6, " M"), (3, " k")):
        if value >= 10**power:
            return f"{value / 10**power:.3g}{sign}"
    return f"{value:.0f}"


def _source(rung: Rung, width: int) -> list[Content]:
    says = "estimate" if rung.estimate else "published" if not rung.here else "here"
    text = Content.assemble((f"{rung.name}, {says}: ", "bold"), rung.source)
    note = "compute: 6 operations a weight and token (6ND). Bytes of others: at 2 a weight."
    return [
        *(line.rstrip() for line in text.wrap(width)),
        *(line.rstrip() for line in Content.styled(note, MUTED).wrap(width)),
    ]


VIEW = ScaleView

"""The text of each stage of a training step."""

from __future__ import annotations

import math
from collections.abc import Callable

from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT, likely
from tutor.app.widgets import bars, figures
from tutor.labs.kit.columns import Column, around, cursor, heading, row
from tutor.labs.one_step.adam import BETAS, EPSILON, RATE
from tutor.labs.one_step.lab import Answer, Guess, Position, Stage, State
from tutor.language import _
from tutor.text import counted, visible

Draw = Callable[[State, Answer, int, int], list[Content]]
Row = tuple[str, Callable[[Position], str], str]
"""A row of a table, with one cell for each position.

It consists of a label, a function that returns the text of a position's cell, and a style.
"""

_CELL = 5
_LABEL = 8
_PARTS = {
    "attention_norm": _("norm before attention"),
    "attention.query_key_value": _("query, key, value"),
    "attention.output": _("attention output"),
    "feed_forward_norm": _("norm before feed-forward"),
    "feed_forward.gate_up": _("feed-forward gate, up"),
    "feed_forward.down": _("feed-forward down"),
}


def _byte(value: int) -> str:
    return visible(bytes([value]))


_READS: Row = (_("input"), lambda position: _byte(position.byte), "")
_NUMBER: Row = (_("number"), lambda position: str(position.byte), MUTED)
_TARGET: Row = ("target", lambda position: _byte(position.target.byte), "bold")
_TARGET_NUMBER: Row = ("number", lambda position: str(position.target.byte), MUTED)
_LOSS: Row = ("loss", lambda position: f"{position.loss:.2f}", "")
_BEFORE: Row = ("before", lambda position: f"{position.loss:.2f}", "")
_AFTER: Row = ("after", lambda position: f"{position.after:.2f}", "")
_CHANGE: Row = ("", lambda position: "▲" if position.after > position.loss else "▼", MUTED)
_POINTS_DOWN: Row = ("", lambda _: "▼", MUTED)


def _row_of(state: State, answer: Answer) -> tuple[int, int]:
    """Return the index of the window with the selected position, and the position's index in it."""
    return divmod(state.position, len(answer.windows[0]))


def _in_focus(state: State, answer: Answer) -> Position:
    return answer.positions[state.position]


def _text(state: State, answer: Answer, width: int, rows: int) -> list[Content]:
    windows = answer.windows
    sizes = _("{windows} of {bytes}").format(
        windows=counted(len(windows), "window"), bytes=counted(len(windows[0]), "byte")
    )
    return [
        Content.styled(
            _("{sizes}: a [{count}, {count2}] tensor").format(
                sizes=sizes, count=len(windows), count2=len(windows[0])
            ),
            MUTED,
        ),
        Content(""),
        *_columns(state, answer, width, _READS, _NUMBER),
        Content(""),
        *_grid(state, answer),
    ]


def _hidden(state: State, answer: Answer, width: int, rows: int) -> list[Content]:
    there, count = _in_focus(state, answer), len(answer.positions)
    return [
        *_columns(state, answer, width, _READS, _NUMBER, _POINTS_DOWN, _TARGET, _TARGET_NUMBER),
        Content(""),
        Content.assemble(
            (_("position {at} of {count}  ").format(at=state.position + 1, count=count), MUTED),
            _("the last input byte is "), (_byte(there.byte), "bold"),
            _(", the target is "), (_byte(there.target.byte), "bold"),
        ),
    ]  # fmt: skip


def _asked(state: State, answer: Answer, width: int, rows: int) -> list[Content]:
    there = _in_focus(state, answer)
    row, place = _row_of(state, answer)
    read = "".join(_byte(position.byte) for position in answer.windows[row][: place + 1])
    lines = [
        Content.assemble((_("after "), MUTED), (read, "bold"), ("▏", ACT)),
        Content.styled(f"  {_('byte'):<6}{_('logit'):>8}{_('probability'):>12}", MUTED),
    ]
    lines += [_guess(guess, there, width) for guess in there.best]
    if there.target.byte not in [guess.byte for guess in there.best]:
        lines += [Content.styled("  …", MUTED), _guess(there.target, there, width)]
    rest = 1 - sum(guess.probability for guess in there.best)
    lines.append(
        Content.styled(
            _("  all except the top {count}: {percent}").format(
                count=len(there.best), percent=figures.percent(rest)
            ),
            MUTED,
        )
    )
    if state.step == 0:
        lines.append(Content.styled(_("  untrained: about 1/256 = 0.4 % for each byte"), MUTED))
    return lines


def _guess(guess: Guess, there: Position, width: int) -> Content:
    target = guess.byte == there.target.byte
    bar = max(0, min(30, width - 36))
    return Content.assemble(
        ("◄ " if target else "  ", f"{ACT} bold"),
        (figures.fit(_byte(guess.byte), 6), "bold" if target else ""),
        f"{guess.logit:>+8.2f}{figures.percent(guess.probability):>10}  ",
        (bars.bar(guess.probability, bar), likely(guess.probability)),
        (_(" target") if target else "", MUTED),
    )


def _compared(state: State, answer: Answer, width: int, rows: int) -> list[Content]:
    there = _in_focus(state, answer)
    untrained = _("   (untrained: about ln 256 = 5.545)") if state.step == 0 else ""
    return [
        *_columns(state, answer, width, _TARGET, _LOSS),
        Content(""),
        Content.assemble(
            (_("here  "), MUTED),
            _("−ln {probability:.4f} = {loss:.4f} nats").format(
                probability=there.target.probability, loss=there.loss
            ),
        ),
        Content.assemble(
            (_("mean  "), MUTED),
            (_("{loss:.4f} nats per byte").format(loss=answer.loss), "bold"),
            (untrained, MUTED),
        ),
        Content(""),
        *_grid(state, answer),
    ]


def _after(state: State, answer: Answer, width: int, rows: int) -> list[Content]:
    there = _in_focus(state, answer)
    higher = sum(position.after > position.loss for position in answer.positions)
    mark, style = (_("▲ higher"), NOT_YET) if there.after > there.loss else (_("▼ lower"), RIGHT)
    return [
        *_columns(state, answer, width, _TARGET, _BEFORE, _AFTER, _CHANGE),
        Content(""),
        Content.assemble(
            (_("here  "), MUTED),
            _("{loss:.4f} → {after:.4f} nats  ").format(loss=there.loss, after=there.after),
            (mark, style),
        ),
        Content.assemble(
            (_("mean  "), MUTED),
            (
                _("{loss:.4f} → {loss_after:.4f} nats").format(
                    loss=answer.loss, loss_after=answer.loss_after
                ),
                "bold",
            ),
            (
                _("   {higher} of {count} higher").format(
                    higher=higher, count=len(answer.positions)
                ),
                MUTED,
            ),
        ),
        Content(""),
        *_history(answer, width),
    ]


def _history(answer: Answer, width: int) -> list[Content]:
    """Return a chart of the mean loss over all steps so far."""
    shown = answer.history[-max(1, width - 16) :]
    highest = max(shown)
    line = "".join(bars.LEVELS[min(7, int(8 * loss / (highest + 1e-9)))] for loss in shown)
    return [
        Content.assemble((f"{answer.history[0]:.2f} ", MUTED), line, f" {answer.loss_after:.2f}")
    ]


def _grid(state: State, answer: Answer) -> list[Content]:
    row, place = _row_of(state, answer)
    lines = []
    for number, window in enumerate(answer.windows):
        parts: list[tuple[str, str] | str] = [cursor(number == row)]
        for at, position in enumerate(window):
            style = "reverse" if (number, at) == (row, place) else ""
            parts.append((_byte(position.byte), style))
        lines.append(Content.assemble(*parts))
    return lines


def _columns(state: State, answer: Answer, width: int, *rows: Row) -> list[Content]:
    """Return table rows for the selected window.

    If not all positions fit, only those near the selected one are included.
    """
    row, place = _row_of(state, answer)
    window = answer.windows[row]
    count = max(1, min(len(window), (width - _LABEL) // _CELL))
    lines = []
    for label, says, style in rows:
        parts: list[tuple[str, str] | str] = [(f"{label:<{_LABEL}}", MUTED)]
        for at in around(place, len(window), count):
            text = f"{says(window[at]):>{_CELL - 1}}"
            parts += [" ", (text, "reverse" if at == place else style)]
        lines.append(Content.assemble(*parts))
    return lines


def part(name: str) -> str:
    """Return a readable name for a tensor of the network, such as "final norm"."""
    path = name.removesuffix(".weight")
    if path == "embedding":
        return _("embedding and output")
    if path == "norm":
        return _("final norm")
    __, block, rest = path.split(".", 2)
    return _("block {block}: {parts}").format(block=int(block) + 1, parts=_PARTS[rest])


def _backward(state: State, answer: Answer, width: int, rows: int) -> list[Content]:
    most = max(weights.norm for weights in answer.weights)
    shown = max(1, min(len(answer.weights), rows - 1))
    bar = max(0, min(30, width - 58))
    name = max(8, min(33, width - 22))
    columns = (
        Column(_("tensor"), name),
        Column(_("weights"), 8, True),
        Column(_("gradient"), 11, True),
    )
    lines = [heading(columns)]
    for place in around(state.tensor, len(answer.weights), shown):
        weights = answer.weights[place]
        here = place == state.tensor
        size = figures.count(math.prod(weights.shape))
        drawn = (bars.bar(weights.norm / most, bar), MUTED)
        title = (part(weights.name), "bold" if here else "")
        lines.append(row(columns, [title, size, f"{weights.norm:.5f}", "  ", drawn], here=here))
    return lines


def _moved(state: State, answer: Answer, width: int, rows: int) -> list[Content]:
    weights = answer.weights[state.tensor]
    number = state.shown_step + 1
    place = ", ".join(str(i) for i in weights.place)
    b1, b2 = BETAS
    steps = (
        ("slope", "g", "", weights.gradient),
        ("mean", "m", f"{b1} · {weights.mean_before:.3g} + {1 - b1:.1f} · g", weights.mean),
        ("square", "v", f"{b2} · {weights.square_before:.3g} + {1 - b2:.2f} · g²", weights.square),
        (_("no bias"), "m̂", f"m / (1 − {b1}^{number})", weights.corrected_mean),
        ("", "v̂", f"v / (1 − {b2}^{number})", weights.corrected_square),
        ("move", "Δ", f"−{RATE} · m̂ / (√v̂ + {EPSILON:.0e})", weights.change),
    )
    lines = [
        Content.assemble(
            (part(weights.name), "bold"),
            (
                _("  weight [{place}] of {list}").format(place=place, list=list(weights.shape)),
                MUTED,
            ),
        ),
        Content.assemble(
            f"{weights.weight:+.6f} → ",
            (f"{weights.after:+.6f}", "bold"),
            (
                _("   {change:.2f} times the learning rate").format(
                    change=abs(weights.change) / RATE
                ),
                MUTED,
            ),
        ),
        Content(""),
    ]
    for label, symbol, formula, value in steps:
        lines.append(
            Content.assemble(
                (f"{label:<8}", MUTED), (figures.fit(symbol, 2), "bold"),
                (f" = {value:>+12.4e}", "bold"),
                (f"   {formula}", MUTED),
            )
        )  # fmt: skip
    return lines


STAGES: dict[Stage, Draw] = {
    "text": _text,
    "hide": _hidden,
    "ask": _asked,
    "compare": _compared,
    "backward": _backward,
    "move": _moved,
    "after": _after,
}
"""Maps each stage to the function that draws it. The last two arguments of these functions are the
width and the height."""

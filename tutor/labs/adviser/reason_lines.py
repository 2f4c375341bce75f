"""The adviser's reasons: what speaks for and against one option, and what decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import MUTED, NOT_YET, RIGHT
from tutor.app.widgets import figures, layout
from tutor.labs.adviser import lab as adviser
from tutor.labs.adviser import rule as adviser_rule
from tutor.labs.adviser.data import LEVELS
from tutor.labs.adviser.words import dated, what_decides
from tutor.labs.kit.columns import WIDE, wrapped

if TYPE_CHECKING:
    from tutor.labs.adviser.data import Advice, Serving
    from tutor.labs.adviser.lab import State

_NAME = 14
_JUDGED = (
    "Levels are judgments of ours. What a vendor can change has its month; the file that s saves "
    "has the sources too."
)


def reasons(state: State, advice: Advice, width: int) -> list[Content]:
    """What speaks for and against the option in focus, by what it counts, with dated facts."""
    option = advice.options[state.option]
    rows = adviser.ranking(advice, state.now)
    row = next(row for row in rows if row.option == state.option)
    most = adviser_rule.HIGHEST * sum(state.now.weights)
    place = "out" if row.place is None else f"place {row.place} of {len(rows)}"
    shared = sum(each.place == row.place for each in rows) > 1 and row.place is not None
    name = Content.assemble(
        (option.name, "bold"),
        f"  {place}{', shared' * shared}",
        (f"  {row.points} of {most} points", MUTED),
    )
    drawn = [
        *wrapped(name, width),
        *wrapped(Content.styled(option.says, MUTED), width),
        *wrapped(Content(what_decides(advice, state.now, state.option)), width),
    ]
    counts = [
        need
        for need in range(len(advice.needs))
        if state.now.weights[need] or state.now.musts[need]
    ] or list(range(len(advice.needs)))
    counts.sort(key=lambda need: -state.now.weights[need])
    meant = [advice.needs[need].kinds[kind].place for need, kind in enumerate(state.now.kinds)]
    served = {need: option.serves[meant[need]] for need in counts}
    for title, sign, wanted in (("for it", "+", (3, 2)), ("against it", "−", (1, 0))):
        some = [need for need in counts if served[need].level in wanted]
        if some:
            drawn += [Content(""), Content.styled(title, MUTED)]
        for need in some:
            called = figures.fit(advice.needs[need].name, _NAME)
            weight = state.now.weights[need]
            drawn += _reason(option.name, called, served[need], weight, sign, width)
    return [*drawn, Content(""), *wrapped(Content.styled(_JUDGED, MUTED), width)]


def _reason(
    option: str, need: str, serving: Serving, weight: int, sign: str, width: int
) -> list[Content]:
    level = serving.level
    head = Content.assemble(
        (f"{sign} ", f"{RIGHT} bold" if sign == "+" else f"{NOT_YET} bold"),
        need,
        (f"{LEVELS[level]:<7}", "bold"),
        (f"{weight} × {level} = {weight * level}  ", MUTED),
    )
    why = Content(serving.why)
    if width < WIDE:
        indent, drawn = Content("  "), [head.rstrip()]
        drawn += _hanging(indent, why, width)
    else:
        indent, drawn = Content(" " * head.cell_length), _hanging(head, why, width)
    for fact in serving.facts:
        said = Content.styled(dated(fact).removeprefix(f"{option}, "), MUTED)
        drawn += _hanging(indent, said, width)
    return drawn


def _hanging(head: Content, text: Content, width: int) -> list[Content]:
    """Return `head` and `text` after it, all lines of which begin in the same column."""
    return [line.rstrip() for line in layout.hanging(head, text, width).split("\n")]

"""The text of the adviser's views: the learner's needs, the reasons for a rating, and cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT, likely
from tutor.app.widgets import bars, figures, layout
from tutor.labs.adviser import lab as adviser
from tutor.labs.adviser import rule as adviser_rule
from tutor.labs.adviser.case_lines import cases
from tutor.labs.adviser.data import LEVELS
from tutor.labs.adviser.lab import VIEWS
from tutor.labs.adviser.words import dated, listed, options_named, title, what_decides
from tutor.labs.kit.columns import ROOMY, WIDE, around, beside, cursor, wrapped
from tutor.labs.kit.tabs import tabs
from tutor.language import _
from tutor.text import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tutor.labs.adviser.data import Advice, Serving
    from tutor.labs.adviser.lab import State
    from tutor.labs.adviser.rule import Place

_NEEDS = 29
_NAME = 14
_OPTION = 19
_MOVED = 4
_LEGEND = 15
"""The minimum length of a bar, in columns, at which the legend fits above the bars."""
_LEAST_TABLE = 10
_HEADED = 5
"""The minimum height, in rows, at which a table has a heading."""
_BLANK = [Content("")]
_RULE = _(
    "All weights are 0. Press → to raise one. Points are the sum of weight × level (0 to 3). The "
    "score is the percentage of the highest possible total."
)
_JUDGED = _(
    "The levels are our ratings. Facts that can change are dated, and the saved file lists "
    "their sources."
)
_ALL_OUT = _("Every option is excluded. Press m to switch off a must.")


def lines(state: State, width: int, height: int) -> Sequence[Content]:
    advice = state.advice
    if advice is None:
        return [Content.styled(_("Loading needs and options…"), MUTED)]
    views = tabs((view, view == state.view) for view in VIEWS)
    if width >= ROOMY and state.view != "cases":
        views += Content.styled(title(advice, state.case), MUTED)
    below: list[Content] = []
    if state.saved is not None:
        below = wrapped(Content.assemble((_("✓ Saved as "), RIGHT), safe(state.saved.path)), width)
    room = height - 1 - len(below)
    match state.view:
        case "needs":
            drawn = _needs(state, advice, width, room)
        case "reasons":
            drawn = reasons(state, advice, width)
        case "cases":
            drawn = cases(state, advice, width, room)
    return [views, *drawn, *below]


def _fitting(blocks: Sequence[list[Content]], room: int) -> Iterator[list[Content]]:
    """Yield each block that fits into the remaining rows, and an empty list for any other block.

    The blocks are in order of importance.
    """
    for block in blocks:
        fits = len(block) <= room
        room -= len(block) if fits else 0
        yield block if fits else []


def _needs(state: State, advice: Advice, width: int, room: int) -> list[Content]:
    case = adviser.case_of(advice, state.case)
    side_by_side = width >= ROOMY
    rows = 1 + max(len(advice.needs), len(advice.options))
    spare = room - (rows if side_by_side else _LEAST_TABLE)
    focus, decides, situation, named, gap, gap_above = _fitting(
        [
            _need_in_focus(state, advice, width),
            _first_place(state, advice, width),
            wrapped(Content(case.text), width) if case else [],
            [] if side_by_side else [Content.styled(title(advice, state.case), "bold")],
            _BLANK,
            _BLANK,
        ],
        spare,
    )
    above, below = [*named, *situation, *gap_above], [*gap, *focus, *decides]
    table = room - len(above) - len(below)
    if side_by_side:
        left = _dials(state, advice, table)
        right = _ranking(state, advice, width - _NEEDS, table)
        leader = adviser.ranking(advice, state.now)[0].option
        in_focus = replace(state, option=leader)
        more = [*_BLANK, *reasons(in_focus, advice, width)]
        below += more if len(above) + rows + len(below) + len(more) <= room else []
        return [*above, *beside(left, right, _NEEDS), *below]
    dials = _dials(state, advice, min(1 + len(advice.needs), table // 2))
    return [*above, *dials, *_ranking(state, advice, width, table - len(dials)), *below]


def _dials(state: State, advice: Advice, rows: int) -> list[Content]:
    drawn = (
        [] if rows < _HEADED else [Content.styled(f"  {_('need'):<{_NAME}}{_('weight')}", MUTED)]
    )
    for place in around(state.need, len(advice.needs), rows - len(drawn)):
        weight, must = state.now.weights[place], state.now.musts[place]
        here = place == state.need
        drawn.append(
            Content.assemble(
                cursor(here),
                (figures.fit(advice.needs[place].name, _NAME), "bold" if here else ""),
                ("■" * weight + "·" * (adviser_rule.HIGHEST - weight), ACT if here else ""),
                (f" {weight}", "bold" if weight else MUTED),
                (_(" must") if must else "", "bold"),
            )
        )
    return drawn


def _ranking(state: State, advice: Advice, width: int, rows: int) -> list[Content]:
    """Return lines with the ranking, and each option's score now and before the last change."""
    now = adviser.ranking(advice, state.now)
    before: dict[int, Place] = {}
    if state.before is not None:
        before = {row.option: row for row in adviser.ranking(advice, state.before)}
    bar = max(0, width - 4 - _OPTION - 7 - _MOVED)
    heading = f"    {_('option'):<{_OPTION}}{_('score')}"
    legend = _("  ▒ gained ╌ lost") if bar >= _LEGEND else ""
    drawn = [] if rows < _HEADED else [Content.styled(heading + legend, MUTED)]
    room = rows - len(drawn)
    shown = now if len(now) <= room else now[: max(1, room - 1)]
    for row in shown:
        drawn.append(_ranked(state, advice, row, before.get(row.option), bar))
    if len(shown) < len(now):
        drawn.append(
            Content.styled(_("    {count} more").format(count=len(now) - len(shown)), MUTED)
        )
    return drawn


def _ranked(state: State, advice: Advice, row: Place, before: Place | None, bar: int) -> Content:
    name = figures.fit(advice.options[row.option].name, _OPTION)
    weights = state.now.weights
    if row.unmet:
        needs = listed(advice.needs[need].name for need in row.unmet)
        out = figures.fit(_("  out: {needs}").format(needs=needs), 7 + bar)
        return Content.assemble(("  – ", MUTED), (name, MUTED), (out, MUTED), _moved(row, before))
    share = adviser_rule.share(row.points, weights)
    was = share
    if before is not None and state.before is not None:
        was = adviser_rule.share(before.points, state.before.weights)
    solid, gained, rest = bars.change(was, share, bar)
    first = row.place == 1 and any(weights)
    return Content.assemble(
        (f"{row.place:>3} ", "bold" if first else MUTED),
        (name, "bold" if first else ""),
        (f"{share:>5.0%}  ", "bold" if first else ""),
        (solid, likely(share)),
        (gained, likely(share)),
        (rest, MUTED),
        _moved(row, before),
    )


def _moved(row: Place, before: Place | None) -> tuple[str, str]:
    if before is None or before.place == row.place or not row.points:
        return "", ""
    if before.place is None:
        return " ▲", ACT
    if row.place is None:
        return " ▼", ACT
    up = before.place - row.place
    return (f" ▲{up}" if up > 0 else f" ▼{-up}"), ACT


def _need_in_focus(state: State, advice: Advice, width: int) -> list[Content]:
    need, kind = advice.needs[state.need], state.now.kinds[state.need]
    count = (
        _(" ({kind} of {count})").format(kind=kind + 1, count=len(need.kinds))
        if len(need.kinds) > 1
        else ""
    )
    meant = need.kinds[kind]
    asks = Content.assemble((f"{need.asks} ", MUTED), (meant.name, "bold"), (count, MUTED))
    must = Content.assemble(
        (_("must: ") if state.now.musts[state.need] else _("if a must: "), MUTED), meant.must
    )
    return [*wrapped(asks, width), *wrapped(must, width)]


def _first_place(state: State, advice: Advice, width: int) -> list[Content]:
    leaders = adviser.lead(advice, state.now)
    if not leaders:
        some = any(row.place for row in adviser.ranking(advice, state.now))
        return wrapped(Content.styled(_RULE if some else _ALL_OUT, MUTED), width)
    names = options_named(advice, leaders)
    decides = what_decides(advice, state.now, min(leaders))
    return wrapped(
        Content.assemble((_("first place: "), MUTED), (f"{names}. ", "bold"), decides), width
    )


def reasons(state: State, advice: Advice, width: int) -> list[Content]:
    """Return the reasons for and against the focused option, with dated facts.

    Reasons about needs with a higher weight come first.
    """
    option = advice.options[state.option]
    rows = adviser.ranking(advice, state.now)
    row = next(row for row in rows if row.option == state.option)
    most = adviser_rule.HIGHEST * sum(state.now.weights)
    place = (
        _("out")
        if row.place is None
        else _("place {place} of {count}").format(place=row.place, count=len(rows))
    )
    shared = sum(each.place == row.place for each in rows) > 1 and row.place is not None
    name = Content.assemble(
        (option.name, "bold"),
        f"  {place}{_(', tied') * shared}",
        (_("  {points} of {most} points").format(points=row.points, most=most), MUTED),
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
    for speaks, sign, wanted in (("pros", "+", (3, 2)), ("cons", "−", (1, 0))):
        some = [need for need in counts if served[need].level in wanted]
        if some:
            drawn += [Content(""), Content.styled(speaks, MUTED)]
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
    """Return `head` followed by `text`, wrapped with a hanging indent."""
    return [line.rstrip() for line in layout.hanging(head, text, width).split("\n")]

"""What the adviser looks like: pure functions from a state to lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from textual.content import Content

from tutor.app.lab.columns import beside
from tutor.app.lab.tabs import tabs
from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT, likely
from tutor.app.widgets import bars, figures, layout
from tutor.labs import adviser, adviser_rule
from tutor.labs.adviser import VIEWS
from tutor.labs.adviser_data import LEVELS
from tutor.labs.adviser_words import dated, listed, options_named, what_decides

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tutor.labs.adviser import State
    from tutor.labs.adviser_data import Advice, Case, DatedFact
    from tutor.labs.adviser_rule import Place

_WIDE = 66
"""From this many columns on the ranking stands beside the needs."""
_VERY_WIDE = 100
"""From this many columns on a reason stands beside its figures."""
_HIGH = 28
"""From this many rows on the reasons of the first stand below the ranking."""
_NEEDS = 29
_NAME = 14
_OPTION = 19
_MOVED = 4
_LEGEND = 15
"""Columns of a bar from which on there is room for what its parts mean."""
_LEAST_TABLE = 10
_LEAST_OPTIONS = 5
_HEADED = 5
"""Rows from which on a table has a heading."""
_BLANK = [Content("")]


def lines(state: State, width: int, height: int) -> Sequence[Content]:
    advice = state.advice
    if advice is None:
        return [Content.styled("reading what there is to weigh …", MUTED)]
    views = tabs((view, view == state.view) for view in VIEWS)
    if width >= _WIDE and state.view != "cases":
        views += Content.styled(_title(state, advice), MUTED)
    below = _saved(state, width)
    room = height - 1 - len(below)
    match state.view:
        case "needs":
            drawn = _needs(state, advice, width, room)
        case "reasons":
            drawn = _reasons(state, advice, width)
        case "cases":
            drawn = _cases(state, advice, width, room)
    return [views, *drawn, *below]


def _title(state: State, advice: Advice) -> str:
    case = adviser.case_of(advice, state.case)
    return case.title if case else "Your own task"


def _saved(state: State, width: int) -> list[Content]:
    if state.saved is None:
        return []
    return _wrapped(Content.assemble(("✓ saved as ", RIGHT), state.saved.path), width)


def _wrapped(text: Content, width: int) -> list[Content]:
    return [line.rstrip() for line in text.wrap(max(1, width))]


def _hanging(head: Content, text: Content, width: int) -> list[Content]:
    return [line.rstrip() for line in layout.hanging(head, text, width).split("\n")]


def _fitting(blocks: Sequence[list[Content]], room: int) -> Iterator[list[Content]]:
    """Each block, the most important first, or nothing where it no longer fits."""
    for block in blocks:
        fits = len(block) <= room
        room -= len(block) if fits else 0
        yield block if fits else []


def _around(focus: int, count: int, room: int) -> range:
    """`room` rows of `count`, the one in focus among them."""
    room = max(1, min(room, count))
    first = max(0, min(focus - room // 2, count - room))
    return range(first, first + room)


# --- needs and the ranking ------------------------------------------------------------------------


def _needs(state: State, advice: Advice, width: int, room: int) -> list[Content]:
    case = adviser.case_of(advice, state.case)
    side_by_side = width >= _WIDE
    rows = 1 + max(len(advice.needs), len(advice.options))
    spare = room - (rows if side_by_side else _LEAST_TABLE)
    focus, decides, situation, named, gap, gap_above = _fitting(
        [
            _need_in_focus(state, advice, width),
            _first_place(state, advice, width),
            _wrapped(Content(case.text), width) if case else [],
            [] if side_by_side else [Content.styled(_title(state, advice), "bold")],
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
        if room >= _HIGH:
            more = [*_BLANK, *_reasons(_at_first(state, advice), advice, width)]
            below += more if len(above) + rows + len(below) + len(more) <= room else []
        return [*above, *beside(left, right, _NEEDS), *below]
    dials = _dials(state, advice, min(1 + len(advice.needs), table // 2))
    return [*above, *dials, *_ranking(state, advice, width, table - len(dials)), *below]


def _at_first(state: State, advice: Advice) -> State:
    """With what is in first place in focus."""
    return msgspec.structs.replace(state, option=adviser.ranking(advice, state.now)[0].option)


def _dials(state: State, advice: Advice, rows: int) -> list[Content]:
    """The needs with their weights, the one in focus among them."""
    drawn = [] if rows < _HEADED else [Content.styled(f"  {'need':<{_NAME}}weight", MUTED)]
    for place in _around(state.need, len(advice.needs), rows - len(drawn)):
        weight, must = state.now.weights[place], state.now.musts[place]
        here = place == state.need
        drawn.append(
            Content.assemble(
                ("› " if here else "  ", f"{ACT} bold"),
                (figures.fit(advice.needs[place].name, _NAME), "bold" if here else ""),
                ("■" * weight + "·" * (adviser_rule.HIGHEST - weight), ACT if here else ""),
                (f" {weight}", "bold" if weight else MUTED),
                (" must" if must else "", "bold"),
            )
        )
    return drawn


def _ranking(state: State, advice: Advice, width: int, rows: int) -> list[Content]:
    """The options by place, each with its share of what is possible, now and before."""
    now = adviser.ranking(advice, state.now)
    before: dict[int, Place] = {}
    if state.before is not None:
        before = {row.option: row for row in adviser.ranking(advice, state.before)}
    bar = max(0, width - 4 - _OPTION - 7 - _MOVED)
    heading = f"    {'option':<{_OPTION}}score"
    legend = "  ▒ gained ╌ lost" if bar >= _LEGEND else ""
    drawn = [] if rows < _HEADED else [Content.styled(heading + legend, MUTED)]
    room = rows - len(drawn)
    shown = now if len(now) <= room else now[: max(1, room - 1)]
    for row in shown:
        drawn.append(_ranked(state, advice, row, before.get(row.option), bar))
    if len(shown) < len(now):
        drawn.append(Content.styled(f"    {len(now) - len(shown)} more", MUTED))
    return drawn


def _ranked(state: State, advice: Advice, row: Place, before: Place | None, bar: int) -> Content:
    name = figures.fit(advice.options[row.option].name, _OPTION)
    weights = state.now.weights
    if row.unmet:
        needs = listed(advice.needs[need].name for need in row.unmet)
        out = figures.fit(f"  out: {needs}", 7 + bar)
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
    """How many places up or down since the last change."""
    if before is None or before.place == row.place:
        return "", ""
    if before.place is None:
        return " ▲", ACT
    if row.place is None:
        return " ▼", ACT
    up = before.place - row.place
    return (f" ▲{up}" if up > 0 else f" ▼{-up}"), ACT


def _need_in_focus(state: State, advice: Advice, width: int) -> list[Content]:
    """What the need asks, which of its kinds is meant, and what it is as a must."""
    need, kind = advice.needs[state.need], state.now.kinds[state.need]
    count = f" ({kind + 1} of {len(need.kinds)})" if len(need.kinds) > 1 else ""
    meant = need.kinds[kind]
    asks = Content.assemble((f"{need.asks} ", MUTED), (meant.name, "bold"), (count, MUTED))
    must = Content.assemble(
        ("a must: " if state.now.musts[state.need] else "as a must: ", MUTED), meant.must
    )
    return [*_wrapped(asks, width), *_wrapped(must, width)]


def _first_place(state: State, advice: Advice, width: int) -> list[Content]:
    """What decides who is first."""
    leaders = adviser.lead(advice, state.now)
    if not leaders:
        some = any(row.place for row in adviser.ranking(advice, state.now))
        said = (
            "Nothing weighs anything yet: all are level."
            if some
            else "Every option is out. Make one of the musts a wish."
        )
        return _wrapped(Content.styled(said, MUTED), width)
    first = min(leaders)
    decides = what_decides(advice, state.now, first)
    names = options_named(advice, leaders)
    text = Content.assemble(("first: ", MUTED), (f"{names}. ", "bold"), decides)
    return _wrapped(text, width)


# --- reasons --------------------------------------------------------------------------------------

_JUDGED = (
    "Levels are judgments of ours. What a vendor can change has its month; the file that s saves "
    "has the sources too."
)


def _reasons(state: State, advice: Advice, width: int) -> list[Content]:
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
        *_wrapped(name, width),
        *_wrapped(Content.styled(option.says, MUTED), width),
        *_wrapped(Content(what_decides(advice, state.now, state.option)), width),
    ]
    counts = [
        need
        for need in range(len(advice.needs))
        if state.now.weights[need] or state.now.musts[need]
    ] or list(range(len(advice.needs)))
    counts.sort(key=lambda need: -state.now.weights[need])
    served = {need: _level(state, advice, need) for need in counts}
    for title, sign, wanted in (("for it", "+", (3, 2)), ("against it", "−", (1, 0))):
        some = [need for need in counts if served[need] in wanted]
        if some:
            drawn += [Content(""), Content.styled(title, MUTED)]
        for need in some:
            drawn += _reason(state, advice, need, sign, width)
    return [*drawn, Content(""), *_wrapped(Content.styled(_JUDGED, MUTED), width)]


def _level(state: State, advice: Advice, need: int) -> int:
    kind = advice.needs[need].kinds[state.now.kinds[need]]
    return advice.options[state.option].serves[kind.place].level


def _reason(state: State, advice: Advice, need: int, sign: str, width: int) -> list[Content]:
    kind = advice.needs[need].kinds[state.now.kinds[need]]
    option = advice.options[state.option]
    serving = option.serves[kind.place]
    weight, level = state.now.weights[need], serving.level
    head = Content.assemble(
        (f"{sign} ", f"{RIGHT} bold" if sign == "+" else f"{NOT_YET} bold"),
        figures.fit(advice.needs[need].name, _NAME),
        (f"{LEVELS[level]:<7}", "bold"),
        (f"{weight} × {level} = {weight * level}  ", MUTED),
    )
    why, facts = Content(serving.why), [_fact(fact, option.name) for fact in serving.facts]
    if width < _VERY_WIDE:
        indent, drawn = Content("  "), [head.rstrip()]
        drawn += _hanging(indent, why, width)
    else:
        indent, drawn = Content(" " * head.cell_length), _hanging(head, why, width)
    for fact in facts:
        drawn += _hanging(indent, fact, width)
    return drawn


def _fact(fact: DatedFact, option: str) -> Content:
    return Content.styled(dated(fact).removeprefix(f"{option}, "), MUTED)


# --- cases ----------------------------------------------------------------------------------------

_OWN = (
    "What do you want to use a model for? Weigh what that needs, look at the reasons, and pick "
    "what you would try first. s writes it down, with the facts and their months."
)


def _cases(state: State, advice: Advice, width: int, room: int) -> list[Content]:
    """The situation, what to pick from, and what is said to the pick. All of it, on a low screen
    too: there it scrolls."""
    case = adviser.case_of(advice, state.case)
    text = _wrapped(Content(case.text if case else _OWN), width)
    said = _said(state, advice, case, width) if case else []
    count = len(advice.options)
    rows = room - 1 - len(text) - len(said)
    gap = _BLANK if rows > count else []
    rows = count if rows < _LEAST_OPTIONS else min(count, rows)
    return [
        _case_title(state, advice, case, width),
        *text,
        *gap,
        *_options(state, advice, width, rows),
        *said,
    ]


def _case_title(state: State, advice: Advice, case: Case | None, width: int) -> Content:
    count = len(advice.cases)
    where = f"{state.case} of {count}" if case else f"{count} cases follow"
    if width >= _WIDE:
        where += f", {len(state.solved)} solved"
    elif case:
        where = f"{state.case}/{count}"
    solved = state.case in state.solved
    return Content.assemble(
        ("✓ " if solved else "", RIGHT), (_title(state, advice), "bold"), (f"  {where}", MUTED)
    )


def _options(state: State, advice: Advice, width: int, rows: int) -> list[Content]:
    """The options in the order of the ranking, with what was picked."""
    ranked = adviser.ranking(advice, state.now)
    focus = next(place for place, row in enumerate(ranked) if row.option == state.option)
    shown = _around(focus, len(ranked), rows if rows >= len(ranked) else rows - 1)
    drawn = [_option(state, advice, ranked[place], width) for place in shown]
    more = len(ranked) - len(shown)
    return [*drawn, Content.styled(f"    {more} more", MUTED)] if more else drawn


def _option(state: State, advice: Advice, row: Place, width: int) -> Content:
    case = adviser.case_of(advice, state.case)
    here = row.option == state.option
    picked = row.option == state.picked[state.case]
    mark, color = " ", ""
    if picked and case is None:
        mark, color = "•", ACT
    elif picked and case is not None:
        mark, color = ("✓", RIGHT) if case.defensible[row.option] else ("×", NOT_YET)
    share = adviser_rule.share(row.points, state.now.weights)
    bar = max(0, min(30, width - _OPTION - 14))
    score = ("  out", MUTED) if row.unmet else (f"{share:>5.0%}", "")
    return Content.assemble(
        ("› " if here else "  ", f"{ACT} bold"),
        (f"{mark} ", color),
        (figures.fit(advice.options[row.option].name, _OPTION), "bold" if here or picked else ""),
        score,
        "  ",
        ("" if row.unmet else bars.bar(share, bar), likely(share)),
    )


def _said(state: State, advice: Advice, case: Case, width: int) -> list[Content]:
    """What there is to say to the pick; once the case is solved, about any option in focus."""
    picked = state.picked[state.case]
    if picked is None:
        return []
    solved = state.case in state.solved
    about = state.option if solved else picked
    good = case.defensible[about]
    head = Content.assemble(
        ("✓ " if good else "× ", RIGHT if good else NOT_YET),
        (f"{advice.options[about].name}: ", "bold"),
    )
    said = _wrapped(Content.assemble(head, case.why[about]), width)
    said += _wrapped(Content.assemble(("what matters: ", MUTED), case.because), width)
    if left_out := _left_out(state, advice, case):
        said += _wrapped(Content.assemble(("you gave no weight to ", MUTED), left_out), width)
    if solved:
        names = [
            advice.options[option].name
            for option, defensible in enumerate(case.defensible)
            if defensible
        ]
        said += _wrapped(Content.assemble(("defensible: ", MUTED), ", ".join(names)), width)
    return said


def _left_out(state: State, advice: Advice, case: Case) -> str:
    """The needs that matter in this case and were not weighed, or not as the kind that matters."""
    names = []
    for place, need in enumerate(advice.needs):
        meant = need.kinds[state.now.kinds[place]].place
        weighed = state.now.weights[place] or state.now.musts[place]
        for kind in need.kinds:
            if case.matters[kind.place] and not (weighed and meant == kind.place):
                many = len(need.kinds) > 1
                names.append(f"{need.name} ({kind.name})" if many else need.name)
    return listed(names) if names else ""

"""The text of the adviser's cases: situation, options, and a comment on the learner's pick."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET, RIGHT, likely
from tutor.app.widgets import bars, figures
from tutor.labs.adviser import lab as adviser
from tutor.labs.adviser import rule as adviser_rule
from tutor.labs.adviser.words import defensible, listed, title
from tutor.labs.kit.columns import ROOMY, around, cursor, wrapped
from tutor.language import _

if TYPE_CHECKING:
    from tutor.labs.adviser.data import Advice, Case
    from tutor.labs.adviser.lab import State
    from tutor.labs.adviser.rule import Place

_OPTION = 19
_LEAST_OPTIONS = 5
_OWN = _(
    "Think of a task of your own. Set the weight of each need, read the reasons for the ranking, "
    "and pick what you would try first. Press ctrl+s to save the result with dated facts."
)


def cases(state: State, advice: Advice, width: int, room: int) -> list[Content]:
    """Return the lines of the case view: situation, options, and a comment on the learner's pick.

    On a short screen, the view scrolls.
    """
    case = adviser.case_of(advice, state.case)
    text = wrapped(Content(case.text if case else _OWN), width)
    said = _said(state, advice, case, width) if case else []
    count = len(advice.options)
    rows = room - 1 - len(text) - len(said)
    gap = [Content("")] if rows > count else []
    rows = count if rows < _LEAST_OPTIONS else min(count, rows)
    return [
        _heading(state, advice, case, width),
        *text,
        *gap,
        *_options(state, advice, width, rows),
        *said,
    ]


def _heading(state: State, advice: Advice, case: Case | None, width: int) -> Content:
    count = len(advice.cases)
    where = (
        _("{case} of {count}").format(case=state.case, count=count)
        if case
        else _("{count} cases follow").format(count=count)
    )
    if width >= ROOMY:
        where += _(", {count} solved, {count2} with the first pick").format(
            count=len(state.solved), count2=len(state.at_once)
        )
    elif case:
        where = f"{state.case}/{count}"
    solved = state.case in state.solved
    return Content.assemble(
        ("✓ " if solved else "", RIGHT), (title(advice, state.case), "bold"), (f"  {where}", MUTED)
    )


def _options(state: State, advice: Advice, width: int, rows: int) -> list[Content]:
    ranked = adviser.ranking(advice, state.now)
    focus = next(place for place, row in enumerate(ranked) if row.option == state.option)
    shown = around(focus, len(ranked), rows if rows >= len(ranked) else rows - 1)
    drawn = [_option(state, advice, ranked[place], width) for place in shown]
    more = len(ranked) - len(shown)
    return (
        [*drawn, Content.styled(_("    {more} more").format(more=more), MUTED)] if more else drawn
    )


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
    score = (_("  out"), MUTED) if row.unmet else (f"{share:>5.0%}", "")
    return Content.assemble(
        cursor(here),
        (f"{mark} ", color),
        (figures.fit(advice.options[row.option].name, _OPTION), "bold" if here or picked else ""),
        score,
        "  ",
        ("" if row.unmet else bars.bar(share, bar), likely(share)),
    )


def _said(state: State, advice: Advice, case: Case, width: int) -> list[Content]:
    """Return a comment on the option that the learner picked.

    Once the case is solved, the comment is about the focused option instead.
    """
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
    said = wrapped(Content.assemble(head, case.why[about]), width)
    said += wrapped(Content.assemble((_("What matters: "), MUTED), case.because), width)
    if left_out := _left_out(state, advice, case):
        said += wrapped(
            Content.assemble((_("You gave no weight to "), MUTED), f"{left_out}."), width
        )
    if adviser.refusal(state) is not None:
        said += wrapped(
            Content(_("Press Tab and change the weights before you pick again.")), width
        )
    if solved:
        said += wrapped(
            Content.assemble((_("Defensible options: "), MUTED), defensible(advice, case)), width
        )
    return said


def _left_out(state: State, advice: Advice, case: Case) -> str:
    """Return the names of needs that matter in this case but are ignored in the learner's settings.

    A need is ignored if it has no weight, or if the learner chose the wrong kind of the need.
    """
    names = []
    for place, need in enumerate(advice.needs):
        meant = need.kinds[state.now.kinds[place]].place
        weighed = state.now.weights[place] or state.now.musts[place]
        for kind in need.kinds:
            if case.matters[kind.place] and not (weighed and meant == kind.place):
                many = len(need.kinds) > 1
                names.append(f"{need.name} ({kind.name})" if many else need.name)
    return listed(names) if names else ""

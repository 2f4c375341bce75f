"""Describe the state of the neighbors lab in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.plain.words import listed, token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.kit.words.word import Form, Near
    from tutor.labs.neighbors.analogies import Analogy, Sum
    from tutor.labs.neighbors.lab import Neighborhood, Pairs, State

HELP = {
    "edit": _("Choose another word, or other words for the table of pairs."),
    "visit": _("Show the neighbors of the selected neighbor."),
    "toggle": _("Leave out other spellings, or rank by distance instead of the cosine."),
    "add-analogy": _(
        "Add an analogy. For example: add-analogy king man woman queen, for king minus man plus "
        "woman, expected queen."
    ),
}
_MOST = 10


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about a word's neighbors, the table of pairs, or the analogies."""
    match state.view:
        case "near":
            found = state.neighborhood
            return {"near": list(_near(state, found)) if found is not None else []}
        case "pairs":
            return {"pairs": list(_pairs(state, state.pairs)) if state.pairs is not None else []}
        case "sums":
            return {"sums": list(_sums(state))}


def _near(state: State, found: Neighborhood) -> Iterator[str]:
    yield _("The row of {token} has a length of {length:.2f}.").format(
        token=token(found.token), length=found.length
    )
    if found.forms and len(found.forms[state.form]) > 1:
        yield _("The word has several tokens: {tokens}. Only the first one counts.").format(
            tokens=listed([*map(token, found.forms[state.form])], _("and"))
        )
    yield _("The cosine with the other rows is {chance:.2f} on average.").format(
        chance=found.chance
    )
    if state.by_distance:
        yield _("The distance to the other rows is {distance:.2f} on average.").format(
            distance=found.chance_distance
        )
        yield _("Nearest of {rows:,} rows by distance:").format(rows=found.rows)
    else:
        yield _("Nearest of {rows:,} rows by cosine:").format(rows=found.rows)
    first = max(0, min(state.focus - _MOST // 2, len(state.near) - _MOST))
    for at, each in enumerate(state.near[first : first + _MOST], first):
        yield _neighbor(each, _(", selected") if at == state.focus else "")


def _neighbor(near: Near, here: str = "") -> str:
    distance = (
        _(", distance {distance:.2f}").format(distance=near.distance) if near.distance else ""
    )
    return _("Rank {rank}: {token}, cosine {cosine:.2f}{distance}{here}.").format(
        rank=near.rank, token=token(near.token), cosine=near.cosine, distance=distance, here=here
    )


def _pairs(state: State, pairs: Pairs) -> Iterator[str]:
    row, column = state.cell
    yield _("Selected: {one} and {other}, cosine {cosine:.2f}.").format(
        one=_first(pairs.forms[row]),
        other=_first(pairs.forms[column]),
        cosine=pairs.cosines[row][column],
    )
    yield _("Two random rows have a cosine of {chance:.2f} on average.").format(chance=pairs.chance)
    for one, form in enumerate(pairs.forms):
        others = [
            _("{word} {cosine:.2f}").format(
                word=_first(pairs.forms[other]), cosine=pairs.cosines[one][other]
            )
            for other in range(len(pairs.forms))
            if other != one
        ]
        yield _("Cosines of {word}: {others}.").format(word=_first(form), others=", ".join(others))


def _first(form: Form) -> str:
    return token(form[0])


def _sums(state: State) -> Iterator[str]:
    for at, each in enumerate(state.analogies):
        a, b, c, expected = each.words
        yield _("Sum {number}{here}: {a} minus {b} plus {c}, expected {expected}.").format(
            number=at + 1,
            here=_(", selected") if at == state.analogy else "",
            a=a,
            b=b,
            c=c,
            expected=expected,
        )
    if state.chosen.sum is not None:
        yield from _result(state.chosen, state.chosen.sum)


def _result(analogy: Analogy, result: Sum) -> Iterator[str]:
    yield _(
        "{expected} has rank {rank} of {rows:,}, and rank {rank_without} without the three words. "
        "Its cosine with the sum is {cosine:.2f}."
    ).format(
        expected=_first(result.forms[3]),
        rank=result.rank,
        rows=result.rows,
        rank_without=result.rank_without,
        cosine=result.cosine,
    )
    if analogy.same_twice:
        yield _("Two of the words are the same, so this is not an analogy.")
    yield _("Nearest to the sum:")
    yield from map(_neighbor, result.nearest)

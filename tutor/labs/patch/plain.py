"""Describe the patching lab's state in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.patch.explain import (
    SOURCE_NAMES,
    SOURCE_SENTENCES,
    VIEW_NAMES,
    advice,
    place,
    signed,
)
from tutor.labs.patch.lab import Patch, problem
from tutor.language import _
from tutor.plain.words import ended, percent, token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.patch.lab import Pair, Runs, State

HELP = {
    "edit": _("Replace text A. With field=other: replace text B."),
    "continue": _("Continue text A with the selected patch, and without it."),
    "run": _("Compute the map, or stop. The results so far are kept."),
}
_MOST = 5


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the texts, the map and the continuations."""
    texts = [
        _("Text A: {text}").format(text=ended(state.text)),
        _("Text B: {text}").format(text=ended(state.other)),
    ]
    pair, runs = state.pair, state.runs
    if pair is None:
        return {"texts": texts}
    if runs is None:
        found = problem(pair)
        return {"texts": [*texts, *(advice(pair, found) if found else [])]}
    patched = _("Patched: {part}, with {source}.").format(
        part=VIEW_NAMES[state.view], source=SOURCE_NAMES[state.source]
    )
    return {
        "texts": [*texts, *_predictions(runs), *_differences(pair)],
        "patched": [patched, *filter(None, [SOURCE_SENTENCES[state.source]])],
        "selected": list(_selected(state, pair, runs)),
        "map": list(_strongest(state, pair)),
        "continuations": list(_continuations(state, pair)),
    }


def _predictions(runs: Runs) -> list[str]:
    return [
        _("After text {name}: {answer}, {probability}.").format(
            name=name, answer=token(answer), probability=percent(probability)
        )
        for name, answer, probability in zip(
            "AB", runs.answers, (runs.a.first, runs.b.second), strict=True
        )
    ]


def _differences(pair: Pair) -> Iterator[str]:
    for at, (a, b) in enumerate(zip(pair.a, pair.b, strict=True)):
        if a != b:
            yield _("Token {at} differs: {a} in A, {b} in B.").format(
                at=at + 1, a=token(a), b=token(b)
            )


def _selected(state: State, pair: Pair, runs: Runs) -> Iterator[str]:
    patch = state.selected
    where = place(pair, patch)
    cell, moved = state.cell(patch), state.moved(patch)
    if cell is None or moved is None:
        yield _("Selected: {place}. It is not computed yet.").format(place=where)
        return
    yield _("Selected: {place}. It moves the answer by {moved} percent.").format(
        place=where, moved=signed(moved)
    )
    for answer, before, after in (
        (runs.answers[0], runs.a.first, cell.first),
        (runs.answers[1], runs.a.second, cell.second),
    ):
        yield _("{answer}: {before} without the patch, {after} with it.").format(
            answer=token(answer), before=percent(before), after=percent(after)
        )


def _strongest(state: State, pair: Pair) -> Iterator[str]:
    """Yield sentences about the strongest rows of the map, each with its strongest cell."""
    missing = len(state.missing)
    if missing:
        yield _("{missing} of {rows} rows are not computed yet.").format(
            missing=missing, rows=len(state.rows)
        )
    best: list[tuple[float, Patch]] = []
    for row in state.rows:
        patches = [Patch(row, layer) for layer in range(pair.layers)]
        known = [(moved, each) for each in patches if (moved := state.moved(each)) is not None]
        if known and not state.unchanged(row):
            best.append(max(known, key=lambda one: one[0]))
    for moved, patch in sorted(best, key=lambda one: -one[0])[:_MOST]:
        yield _("Strongest cell of its row: {place}, {moved} percent.").format(
            place=place(pair, patch), moved=signed(moved)
        )


def _continuations(state: State, pair: Pair) -> Iterator[str]:
    if state.patch is None or not state.patched.ids:
        return
    yield _("Without a patch, A continues: {text}").format(text=ended(state.plain.text))
    yield _("Patched at {place}: {text}").format(
        place=place(pair, state.patch), text=ended(state.patched.text)
    )

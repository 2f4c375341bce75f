"""Describe the state of the prompt injection lab in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.injection.lab import material, result
from tutor.language import _
from tutor.plain.words import ended, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.injection.lab import State

HELP = {
    "edit": _("Write your own attack. With field=defense: write your own defense."),
    "move": _("Select another defense, attack or review."),
    "run": _("Measure all defenses on all reviews, or stop."),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return the selected prompt, the model's answer to it, and the results of all defenses."""
    return {
        "selected": list(_selected(state)),
        "progress": [
            _("{done} of {total} reviews measured.").format(
                done=state.progress.done, total=state.progress.total
            )
        ],
        "results": list(_results(state)),
    }


def _selected(state: State) -> Iterator[str]:
    name, __ = state.defenses[state.defense]
    yield _("Defense {number} of {count}: {name}.").format(
        number=state.defense + 1, count=len(state.defenses), name=name
    )
    yield _("Review {number} of {count}: {text}").format(
        number=state.document + 1,
        count=len(material().documents),
        text=ended(material().documents[state.document]),
    )
    yield _("Attack {number} of {count}: {text}").format(
        number=state.attack + 1,
        count=len(state.attacks),
        text=ended(state.attacks[state.attack]),
    )
    shares = state.found.get(state.case)
    if shares is not None:
        yield _("Probability of the answer “positive”: {positive}, “negative”: {negative}.").format(
            positive=percent(shares.positive), negative=percent(shares.negative)
        )


def _results(state: State) -> Iterator[str]:
    for name, defense in state.defenses:
        found = result(state, defense)
        if not found.measured:
            continue
        yield _(
            "Defense {name}: {through} of {attempts} attempts succeed, and {clean} of {reviews} "
            "clean reviews are classified correctly."
        ).format(
            name=name,
            through=found.through[0],
            attempts=found.through[1],
            clean=found.clean[0],
            reviews=found.clean[1],
        )
        yield _(
            "With a harmless sentence added, {positive} of {count} reviews are classified as "
            "positive."
        ).format(positive=found.harmless[0], count=found.harmless[1])
        if found.own[1]:
            yield _("Your own attack gets through {through} of {count} times.").format(
                through=found.own[0], count=found.own[1]
            )

"""What the probes have shown of three bots: scores, who breaks first, and how long replies take."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

import msgspec

from tutor.bots.files import shipped_probes
from tutor.bots.probes import BOTS, KINDS, Bot, Kind


class Result(msgspec.Struct, frozen=True):
    """How a bot did on a probe."""

    text: str
    right: bool
    milliseconds: float


class Case(msgspec.Struct, frozen=True):
    """A probe (its place in the set), put to a bot."""

    probe: int
    bot: Bot


Results = Mapping[Case, Result]

CASES: tuple[Case, ...] = tuple(
    Case(place, bot) for place in range(len(shipped_probes().probes)) for bot in BOTS
)
"""All of them, in the order in which they are run."""


def next_case(results: Results) -> Case | None:
    """What is to be run next; None when all is done."""
    return next((case for case in CASES if case not in results), None)


def score(results: Results, bot: Bot, kind: Kind | None = None) -> tuple[int, int]:
    """How many replies were right, of how many that were run: of one kind of probes, or of all."""
    probes = shipped_probes().probes
    found = [
        result
        for case, result in results.items()
        if case.bot == bot and kind in (None, probes[case.probe].kind)
    ]
    return sum(result.right for result in found), len(found)


def breaks_first(results: Results, kind: Kind) -> frozenset[Bot]:
    """The bots with the lowest score in this kind: several where they are even, none before all
    have been run."""
    scores = {bot: score(results, bot, kind) for bot in BOTS}
    if any(of < len(shipped_probes().of(kind)) for _, of in scores.values()):
        return frozenset()
    least = min(right for right, _ in scores.values())
    return frozenset(bot for bot, (right, _) in scores.items() if right == least)


def milliseconds(results: Results, bot: Bot) -> float | None:
    """Of a reply, the median of those that were run."""
    taken = [result.milliseconds for case, result in results.items() if case.bot == bot]
    return median(taken) if taken else None


def predicted_right(results: Results, predictions: Mapping[Kind, Bot]) -> int:
    return sum(predictions.get(kind) in breaks_first(results, kind) for kind in KINDS)

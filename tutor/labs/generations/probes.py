"""Evaluates the probes: the scores of the bots, who breaks first, and the time of a reply."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

import msgspec

from tutor.bots.files import shipped_probes
from tutor.bots.probes import BOTS, KINDS, Bot, Kind


class Result(msgspec.Struct, frozen=True):
    """The reply of a bot to a probe, whether it is right, and the time that it took."""

    text: str
    right: bool
    milliseconds: float


class Case(msgspec.Struct, frozen=True):
    """A probe (its index in the set) for one bot."""

    probe: int
    bot: Bot


Results = Mapping[Case, Result]

CASES: tuple[Case, ...] = tuple(
    Case(place, bot) for place in range(len(shipped_probes().probes)) for bot in BOTS
)
"""All cases, in the order in which they are run."""


def next_case(results: Results) -> Case | None:
    """Return the case to run next, or None when all are done."""
    return next((case for case in CASES if case not in results), None)


def score(results: Results, bot: Bot, kind: Kind | None = None) -> tuple[int, int]:
    """Return how many replies were right and how many there are, for one kind or all probes."""
    probes = shipped_probes().probes
    found = [
        result
        for case, result in results.items()
        if case.bot == bot and kind in (None, probes[case.probe].kind)
    ]
    return sum(result.right for result in found), len(found)


def breaks_first(results: Results, kind: Kind) -> frozenset[Bot]:
    """Return the bots with the lowest score on this kind; several if they tie.

    There are none until all probes of the kind have been run.
    """
    scores = {bot: score(results, bot, kind) for bot in BOTS}
    if any(of < len(shipped_probes().of(kind)) for _, of in scores.values()):
        return frozenset()
    least = min(right for right, _ in scores.values())
    return frozenset(bot for bot, (right, _) in scores.items() if right == least)


def milliseconds(results: Results, bot: Bot) -> float | None:
    """Return the median time of this bot's replies, or None without a reply."""
    taken = [result.milliseconds for case, result in results.items() if case.bot == bot]
    return median(taken) if taken else None


def predicted_right(results: Results, predictions: Mapping[Kind, Bot]) -> int:
    return sum(predictions.get(kind) in breaks_first(results, kind) for kind in KINDS)

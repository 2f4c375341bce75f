"""Results of the probes: each bot's scores, response times, and the weakest bots.

A probe is a test message for which the right kind of reply is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

import msgspec

from tutor.bots.files import shipped_probes
from tutor.bots.probes import BOTS, KINDS, Bot, Kind


class Result(msgspec.Struct, frozen=True):
    """A bot's reply to a probe. `right` is True if the reply is right."""

    text: str
    right: bool
    milliseconds: float


class Case(msgspec.Struct, frozen=True):
    """One probe, to be sent to one bot. `probe` is an index into the list of probes."""

    probe: int
    bot: Bot


Results = Mapping[Case, Result]

CASES: tuple[Case, ...] = tuple(
    Case(place, bot) for place in range(len(shipped_probes().probes)) for bot in BOTS
)
"""All combinations of a probe and a bot, in the order in which they are run."""


def next_case(results: Results) -> Case | None:
    """Return the first pair of a probe and a bot without a result, or None if all have one."""
    return next((case for case in CASES if case not in results), None)


def score(results: Results, bot: Bot, kind: Kind | None = None) -> tuple[int, int]:
    """Return the number of a bot's correct replies, and the total number of its replies.

    If `kind` is given, only replies to that kind of probe are counted.
    """
    probes = shipped_probes().probes
    found = [
        result
        for case, result in results.items()
        if case.bot == bot and kind in (None, probes[case.probe].kind)
    ]
    return sum(result.right for result in found), len(found)


def breaks_first(results: Results, kind: Kind) -> frozenset[Bot]:
    """Return the bots with the lowest score for this kind of probe.

    The set has several bots if their scores are equal. It is empty until all probes of this kind
    have been run.
    """
    scores = {bot: score(results, bot, kind) for bot in BOTS}
    if any(of < len(shipped_probes().of(kind)) for _, of in scores.values()):
        return frozenset()
    least = min(right for right, _ in scores.values())
    return frozenset(bot for bot, (right, _) in scores.items() if right == least)


def milliseconds(results: Results, bot: Bot) -> float | None:
    """Return the bot's median response time, or None if the bot has not replied to any probe."""
    taken = [result.milliseconds for case, result in results.items() if case.bot == bot]
    return median(taken) if taken else None


def predicted_right(results: Results, predictions: Mapping[Kind, Bot]) -> int:
    return sum(predictions.get(kind) in breaks_first(results, kind) for kind in KINDS)

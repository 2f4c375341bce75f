"""Scores of prompt versions, differences between them, and the goals that they reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import permutations

import msgspec

from tutor.labs.kit.prompts.tasks import Outcome, Task, outcome, tasks
from tutor.labs.kit.prompts.version import Part, Version, differing, whole_answer
from tutor.labs.kit.proportions import sign_test, wilson
from tutor.vendors.catalogue import RemoteModel

ROWS = 12
"""The number of tokens of the distribution at the first token of an answer."""


class Trial(msgspec.Struct, frozen=True):
    """A version of a prompt on one task, for the loaded model or a remote one (`server`)."""

    task: str
    version: Version
    server: RemoteModel | None = None


class Share(msgspec.Struct, frozen=True, array_like=True):
    """A token and its probability."""

    piece: bytes
    probability: float


class Tried(msgspec.Struct, frozen=True, tag=True):
    """An answer of the model to one item.

    `written` is its text, after a prompt of `tokens` tokens; it `ended` by itself or was cut off.
    `rows` are the most probable candidates for the first token of the answer, before temperature.
    `labels` are the probabilities of the classes there. Each is the sum over all tokens that the
    class's name can begin with: in lower case or capitalized, with or without a space.

    A remote model may not return these figures. Then `tokens` is None, and `rows` and `labels` are
    empty. Otherwise its `labels` count only the tokens that it returned, and `hidden` is the
    probability of all others.
    """

    written: str
    ended: bool
    tokens: int | None
    rows: tuple[Share, ...]
    labels: tuple[float, ...]
    seconds: float
    hidden: float | None = None


Results = Mapping[Trial, tuple[Tried | None, ...]]
"""The answers of each version, item by item; None for items that were not asked."""


def scored(results: Results) -> tuple[Trial, ...]:
    """Return the versions that have an answer for every item, on any task, oldest first."""
    return tuple(trial for trial, found in results.items() if None not in found)


class Score(msgspec.Struct, frozen=True):
    """The number of items answered right, wrong, or in the wrong form.

    `by_share` is the number of items whose right class is the most probable one at the answer's
    first token. It is None if the task has no classes or their probabilities are unknown.
    """

    right: int
    wrong: int
    form: int
    by_share: int | None

    @property
    def asked(self) -> int:
        return self.right + self.wrong + self.form

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.right, self.asked)


class Difference(msgspec.Struct, frozen=True):
    """The difference between two versions on the `asked` items that both answered.

    Some items are right only with A, others only with B. `chance` is the probability of a split
    this uneven if neither version is better (`sign_test`).
    """

    asked: int
    only_a: int
    only_b: int

    @property
    def chance(self) -> float:
        return sign_test(self.only_a, self.only_b)


def outcome_of(trial: Trial, at: int, tried: Tried) -> Outcome:
    """Return whether the answer to item `at` is right, wrong, or in the wrong form."""
    return _outcome(trial.task, at, whole_answer(trial.version, tried.written))


@lru_cache(maxsize=4096)
def _outcome(task: str, at: int, answer: str) -> Outcome:
    """Cached, because the goals check all answers again after every key."""
    return outcome(tasks()[task], tasks()[task].items[at], answer)


def outcomes(results: Results, trial: Trial) -> tuple[Outcome | None, ...]:
    """Return the outcome of each item, None if it was not asked."""
    found = results.get(trial) or (None,) * len(tasks()[trial.task].items)
    return tuple(
        None if tried is None else outcome_of(trial, at, tried) for at, tried in enumerate(found)
    )


def score(results: Results, trial: Trial) -> Score:
    found = outcomes(results, trial)
    task = tasks()[trial.task]
    by_share = None
    asked = [tried for tried in results.get(trial, ()) if tried is not None]
    if task.labels and all(tried.labels for tried in asked):
        by_share = sum(
            tried is not None and _likeliest(task, tried) == item.answer
            for item, tried in zip(task.items, results.get(trial, ()), strict=False)
        )
    return Score(found.count("right"), found.count("wrong"), found.count("form"), by_share)


def _likeliest(task: Task, tried: Tried) -> str | None:
    """Return the most probable class at the first token of the answer; None if all have 0."""
    greatest = max(tried.labels)
    return task.labels[tried.labels.index(greatest)] if greatest > 0 else None


def difference(results: Results, a: Trial, b: Trial) -> Difference:
    """Return the difference between two versions on the same task."""
    both = [
        (one == "right", other == "right")
        for one, other in zip(outcomes(results, a), outcomes(results, b), strict=True)
        if one is not None and other is not None
    ]
    return Difference(len(both), both.count((True, False)), both.count((False, True)))


def _pairs(results: Results) -> Iterator[tuple[Trial, Trial, tuple[Part, ...]]]:
    """Yield each ordered pair of scored versions, with the parts in which they differ.

    Both versions are on the same task and for the same model.
    """
    for one, other in permutations(scored(results), 2):
        if (one.task, one.server) == (other.task, other.server):
            yield one, other, differing(one.version, other.version)


def examples_help(results: Results) -> bool:
    return any(
        parts == ("examples",)
        and without.version.examples == 0
        and score(results, shown).right >= score(results, without).right + 8
        for shown, without, parts in _pairs(results)
    )


def no_error_of_form(results: Results) -> bool:
    return any(score(results, trial).form == 0 for trial in scored(results))


def order_matters(results: Results) -> bool:
    return any(
        parts == ("order",)
        and sum(x != y for x, y in zip(outcomes(results, a), outcomes(results, b), strict=True))
        >= 3
        for a, b, parts in _pairs(results)
    )


def words_hurt(results: Results) -> bool:
    """Return whether adding one text, and nothing else, made a version worse."""
    return any(
        len(parts) == 1
        and parts[0] in ("system", "role", "steps", "rule")
        and not getattr(without.version, parts[0])
        and without.version.temperature == 0
        and score(results, added).right <= score(results, without).right - 5
        for added, without, parts in _pairs(results)
    )


def apart(results: Results) -> bool:
    return any(
        len(parts) == 1
        and parts != ("examples",)
        and score(results, better).interval[0] > score(results, worse).interval[1]
        for better, worse, parts in _pairs(results)
    )

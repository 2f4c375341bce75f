"""Scores of prompt versions, comparisons of versions, and goals that depend on the scores."""

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
"""The number of candidates shown for an answer's first token."""


class Trial(msgspec.Struct, frozen=True):
    """A version of a prompt for one task, and the model that answers.

    `server` is a remote model, or None for the loaded model.
    """

    task: str
    version: Version
    server: RemoteModel | None = None


class Share(msgspec.Struct, frozen=True, array_like=True):
    """A token and its probability."""

    piece: bytes
    probability: float


class Tried(msgspec.Struct, frozen=True, tag=True):
    """A model's answer to one item.

    Attributes:
        written: The generated text.
        ended: False if the answer was cut off at the maximum length.
        tokens: The token count of the prompt, or None if a remote model doesn't report it.
        rows: The most probable candidates for the answer's first token, before temperature. It is
            empty if a remote model doesn't report them.
        labels: The probability of each class at the first token: the sum over all tokens that the
            class's name can begin with, in lower case or capitalized, with or without a space. If a
            remote model reports only some tokens, only these tokens count. If it reports none,
            `labels` is empty.
        seconds: The time that the answer took.
        hidden: The total probability of the tokens that a remote model didn't report.
    """

    written: str
    ended: bool
    tokens: int | None
    rows: tuple[Share, ...]
    labels: tuple[float, ...]
    seconds: float
    hidden: float | None = None


Results = Mapping[Trial, tuple[Tried | None, ...]]
"""The answers to a task's items, for each trial. An answer is None until the item has been run."""


def scored(results: Results) -> tuple[Trial, ...]:
    """Return the trials with an answer to every item of their task, oldest first."""
    return tuple(trial for trial, found in results.items() if None not in found)


class Score(msgspec.Struct, frozen=True):
    """The numbers of answers that are right, wrong, or in the wrong form.

    `by_share` is the number of items whose right class is the most probable class at the answer's
    first token. It is None if the task has no classes, or if their probabilities are unknown.
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
    """A comparison of prompt versions A and B on the `asked` items that were run with both.

    `only_a` and `only_b` count the items that were answered correctly only with A or only with B.
    `chance` is the p-value of the sign test: the probability of a split at least this uneven if
    both versions are equally good.
    """

    asked: int
    only_a: int
    only_b: int

    @property
    def chance(self) -> float:
        return sign_test(self.only_a, self.only_b)


def outcome_of(trial: Trial, at: int, tried: Tried) -> Outcome:
    """Classify the answer to item `at` as right, wrong, or in the wrong form."""
    return _outcome(trial.task, at, whole_answer(trial.version, tried.written))


@lru_cache(maxsize=4096)
def _outcome(task: str, at: int, answer: str) -> Outcome:
    """Classify an answer. Cached, because the goals check all answers after every key press."""
    return outcome(tasks()[task], tasks()[task].items[at], answer)


def outcomes(results: Results, trial: Trial) -> tuple[Outcome | None, ...]:
    """Classify the answer to each item. The outcome is None for items that have not been run."""
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
    """Return the most probable class at the first token, or None if all probabilities are 0."""
    greatest = max(tried.labels)
    return task.labels[tried.labels.index(greatest)] if greatest > 0 else None


def difference(results: Results, a: Trial, b: Trial) -> Difference:
    """Compare two trials of the same task on the items that were run in both."""
    both = [
        (one == "right", other == "right")
        for one, other in zip(outcomes(results, a), outcomes(results, b), strict=True)
        if one is not None and other is not None
    ]
    return Difference(len(both), both.count((True, False)), both.count((False, True)))


def _pairs(results: Results) -> Iterator[tuple[Trial, Trial, tuple[Part, ...]]]:
    """Yield each ordered pair of comparable scored trials, with the prompt parts that differ.

    Two trials are comparable if they have the same task and the same model.
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
    """Return True if adding one text to a prompt lowered its score by five items or more."""
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

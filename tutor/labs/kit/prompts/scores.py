"""What versions of a prompt got, counted: scores, differences, and what they reach."""

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
"""Rows of the distribution at the decisive token that are told."""


class Trial(msgspec.Struct, frozen=True):
    """A version, on a task, by the model that is loaded or one elsewhere."""

    task: str
    version: Version
    server: RemoteModel | None = None


class Share(msgspec.Struct, frozen=True, array_like=True):
    """A token and its probability."""

    piece: bytes
    probability: float


class Tried(msgspec.Struct, frozen=True, tag=True):
    """What the model `written` after `tokens` tokens of prompt, and whether it `ended` there by
    itself. `rows` are the first of the distribution at the decisive token, the first of the
    answer, before temperature; `labels` the share of each class there: of all tokens that its name
    can begin with, in small letters or with a capital, after a space or not.

    Of a model elsewhere, `tokens` is None, and `rows` and `labels` are empty, where they are not
    told; `labels` are of what is shown, and `hidden` is the share of all that is not."""

    written: str
    ended: bool
    tokens: int | None
    rows: tuple[Share, ...]
    labels: tuple[float, ...]
    seconds: float
    hidden: float | None = None


Results = Mapping[Trial, tuple[Tried | None, ...]]
"""What each version got for each item; None where it was not asked."""


def scored(results: Results) -> tuple[Trial, ...]:
    """The versions that all items were asked with, on any task; oldest first."""
    return tuple(trial for trial, found in results.items() if None not in found)


class Score(msgspec.Struct, frozen=True):
    """How many of the items `asked` so far are right, wrong, or not in the form asked for; and,
    for classes, with how many the right class has the greatest share at the decisive token, where
    shares are told."""

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
    """Of the items asked of both: right in A alone, in B alone, and how probable a split that
    uneven is by chance (`sign_test`)."""

    asked: int
    only_a: int
    only_b: int

    @property
    def chance(self) -> float:
        return sign_test(self.only_a, self.only_b)


def outcome_of(trial: Trial, at: int, tried: Tried) -> Outcome:
    """How item `at` went."""
    return _outcome(trial.task, at, whole_answer(trial.version, tried.written))


@lru_cache(maxsize=4096)
def _outcome(task: str, at: int, answer: str) -> Outcome:
    """Remembered, as goals look at all answers again after every key."""
    return outcome(tasks()[task], tasks()[task].items[at], answer)


def outcomes(results: Results, trial: Trial) -> tuple[Outcome | None, ...]:
    """How each item went; None where it was not asked."""
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
    """The class with the greatest share at the decisive token; None where none has any."""
    greatest = max(tried.labels)
    return task.labels[tried.labels.index(greatest)] if greatest > 0 else None


def difference(results: Results, a: Trial, b: Trial) -> Difference:
    """`a` and `b` are of the same task."""
    both = [
        (one == "right", other == "right")
        for one, other in zip(outcomes(results, a), outcomes(results, b), strict=True)
        if one is not None and other is not None
    ]
    return Difference(len(both), both.count((True, False)), both.count((False, True)))


def _pairs(results: Results) -> Iterator[tuple[Trial, Trial, tuple[Part, ...]]]:
    """Scored versions of the same task by the same model, with what they differ in; each pair both
    ways round."""
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
    """A text was added, everything else is the same, and it is worse."""
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

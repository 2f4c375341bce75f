"""Test the days on which the learner answered, stored as bits."""

from __future__ import annotations

from functools import reduce
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tutor.learner.days import KEPT, Days, active_days, streak, with_day

TODAY = 20_000
some_days = st.lists(st.integers(TODAY - KEPT - 10, TODAY + 3), max_size=40)


def of(days: list[int]) -> Days:
    return reduce(with_day, days, Days())


@given(some_days, st.randoms(use_true_random=False))
def test_the_order_of_days_makes_no_difference(days: list[int], random: Random) -> None:
    shuffled = list(days)
    random.shuffle(shuffled)
    assert of(days) == of(shuffled) == of(days + days)


@given(some_days, st.integers(1, 60))
def test_days_are_counted_like_a_set(days: list[int], count: int) -> None:
    kept = {day for day in days if day > max(days) - KEPT}
    expected = len(kept & set(range(TODAY - count + 1, TODAY + 1)))
    assert active_days(of(days), TODAY, count) == expected
    last = TODAY if TODAY in kept else TODAY - 1
    run = next(n for n in range(KEPT + 1) if last - n not in kept)
    assert streak(of(days), TODAY) == run


def test_the_size_is_bounded() -> None:
    assert len(of(list(range(TODAY, TODAY + 5 * KEPT))).active) <= KEPT // 4 + 1

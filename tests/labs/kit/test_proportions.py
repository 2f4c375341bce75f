"""Test intervals and the sign test against other ways to compute them."""

from __future__ import annotations

from math import isclose, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.labs.kit.proportions import Z, sign_test, wilson


@given(st.integers(1, 300).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_score_test_rejects_from_the_ends_of_the_interval_on(
    counts: tuple[int, int],
) -> None:
    right, of = counts
    low, high = wilson(right, of)
    assert 0 <= low <= right / of <= high <= 1
    for end in (low, high):
        if 1e-12 < end < 1 - 1e-12:
            error = sqrt(end * (1 - end) / of)
            assert isclose(abs(right / of - end), Z * error, rel_tol=1e-6)


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [(10, 20, 0.299, 0.701), (20, 20, 0.839, 1.0), (0, 20, 0.0, 0.161), (0, 0, 0.0, 1.0)],
)
def test_intervals_to_three_digits(right: int, of: int, low: float, high: float) -> None:
    # By hand, for 0 of 20: z² / (20 + z²) = 3.841 / 23.841.
    assert wilson(right, of) == pytest.approx((low, high), abs=0.0005)


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_sign_test_counts_all_splits_at_least_as_uneven(one: int, other: int) -> None:
    from math import comb

    count = one + other
    uneven = abs(one - other)
    splits = sum(comb(count, k) for k in range(count + 1) if abs(2 * k - count) >= uneven)
    assert sign_test(one, other) == pytest.approx(splits / 2**count)
    assert sign_test(one, other) == sign_test(other, one)


def test_five_to_zero_has_a_p_value_of_one_in_sixteen() -> None:
    assert sign_test(5, 0) == 2 / 32
    assert sign_test(0, 0) == 1

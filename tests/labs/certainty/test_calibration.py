"""Compare the calibration with the formula, written out for each answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.labs.certainty.calibration import EDGES, bins, expected_error

ANSWERS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=40)


@given(ANSWERS)
def test_every_answer_is_in_one_bin(answers: list[tuple[float, bool]]) -> None:
    found = bins(answers)
    assert sum(each.count for each in found) == len(answers)
    assert sum(each.right for each in found) == sum(right for _, right in answers)
    for each in found:
        assert not each.count or each.low <= each.certainty <= each.high + 1e-9


@given(ANSWERS)
def test_the_error_is_the_mean_gap(answers: list[tuple[float, bool]]) -> None:
    """The error is |sum of (certainty - right)| of each bin over all answers: counts cancel."""
    gaps = [0.0] * len(EDGES)
    for certainty, right in answers:
        place = max([at for at, low in enumerate(EDGES) if certainty > low], default=0)
        gaps[place] += certainty - right
    expected = sum(map(abs, gaps)) / len(answers) if answers else 0.0
    assert expected_error(bins(answers)) == pytest.approx(expected, abs=1e-9)


def test_an_example_computed_by_hand() -> None:
    found = bins([(0.9, True), (0.8, False), (0.2, False)], edges=(0, 0.5, 1))
    assert [(each.count, each.right) for each in found] == [(1, 0), (2, 1)]
    assert found[1].gap == pytest.approx(0.85 - 0.5)
    assert expected_error(found) == pytest.approx((2 * 0.35 + 1 * 0.2) / 3)
    assert expected_error(bins([])) == 0

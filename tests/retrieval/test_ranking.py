"""Compare merged ranked lists and their scores with results computed by hand."""

from __future__ import annotations

import pytest

from tutor.retrieval.ranking import first_right, fused, mean_reciprocal_rank, recall_at


def test_items_in_both_lists_come_first() -> None:
    merged = fused(["a", "b", "c"], ["d", "b"])
    assert [item for item, _ in merged] == ["b", "a", "d", "c"]
    assert dict(merged)["b"] == pytest.approx(2 / 62)
    assert dict(merged)["c"] == pytest.approx(1 / 63)
    assert fused() == []


def test_ranks_count_from_one() -> None:
    assert first_right(["a", "b", "c"], {"c", "b"}) == 2
    assert first_right(["a"], ["z"]) == 0


def test_recall_and_mrr() -> None:
    ranks = [1, 2, 0, 6, 5]
    assert recall_at(ranks, 5) == pytest.approx(3 / 5)
    assert recall_at(ranks, 1) == pytest.approx(1 / 5)
    assert mean_reciprocal_rank(ranks) == pytest.approx((1 + 1 / 2 + 1 / 6 + 1 / 5) / 5)

"""Test the list of labs: the progress in each lab is visible at any width."""

from __future__ import annotations

import pytest

from tutor.app.labs.list import _row


@pytest.mark.parametrize("width", [24, 36, 40, 60, 80, 140])
def test_the_number_of_goals_reached_is_never_cut(width: int) -> None:
    line = _row("Word vectors from scratch", "4  Embeddings", 3, 4, width).plain
    assert "3 of 4" in line
    assert len(line) <= width
    assert ("Embeddings" in line) == (width >= 60)

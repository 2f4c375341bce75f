"""Test the list of labs: the progress in each lab is visible at any width."""

from __future__ import annotations

import pytest

from tutor.app.labs.list import _row
from tutor.labs.kit import registry


@pytest.mark.parametrize("width", [24, 36, 40, 60, 80, 140])
def test_the_number_of_goals_reached_is_never_cut(width: int) -> None:
    lab = registry.find("word2vec")
    lines = _row(lab, "lesson 4", 2, width).plain.split("\n")
    assert "2 of 3" in lines[0]
    assert len(lines[0]) <= width
    assert len(lines) == (1 if width >= 120 else 2)
    assert f"lesson 4 · {lab.about}" == lines[-1] or lab.about in lines[0]

"""Test that plots fit, and that their curves can be told apart in every terminal."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.app.widgets import plot
from tutor.text import in_ascii

VALUES = st.lists(st.tuples(st.floats(0, 60), st.floats(0, 60)), min_size=1, max_size=50)
FALLING = [(float(x), 6.0 - x / 25) for x in range(101)]
LEVEL = [(0.0, 1.0), (100.0, 1.0)]


@given(st.integers(1, 40), st.integers(12, 100), st.integers(3, 20))
def test_the_mark_below_a_plot_is_in_the_column_of_its_point(
    last: int, width: int, height: int
) -> None:
    x, y = plot.Axis(0, last), plot.up_to(6)
    for value in range(last + 1):
        points = [(float(value), 6.0)]
        lines = [each.plain for each in plot.curves(points, points, x, y, width, height)]
        below = plot.mark_below(value, x, y, width, height).plain
        assert below.index("▲") == lines[0].index(plot.BOTH)


@given(VALUES, st.integers(8, 100), st.integers(1, 20))
def test_a_plot_has_its_size_and_both_marks(
    pairs: list[tuple[float, float]], width: int, height: int
) -> None:
    first, second = (list(enumerate(values)) for values in zip(*pairs, strict=True))
    x = plot.Axis(0, max(1, len(pairs) - 1), "steps")
    lines = [each.plain for each in plot.curves(first, second, x, plot.up_to(60), width, height)]
    assert len(lines) == height
    assert {len(line) for line in lines} == {width}
    marks = {mark for line in lines for mark in line} & {plot.YOU, plot.MODEL, plot.BOTH}
    assert marks in ({plot.BOTH}, {plot.YOU, plot.MODEL})


def test_curves_differ_by_their_strokes() -> None:
    x, y = plot.Axis(0, 100, "steps"), plot.Axis(0, 6)
    drawn = [line.plain for line in plot.curves(FALLING, LEVEL, x, y, 60, 11)]
    (dashed,) = [line[4:] for line in drawn if line.endswith(plot.MODEL)]
    assert 10 < dashed.strip().count(" ") < 40
    solid = ["".join(line[column] for line in drawn[:9]).strip() for column in range(4, 30)]
    assert all(solid)
    assert drawn[-1].split() == ["0", "50", "100", "steps"]
    assert [line[:3] for line in (drawn[0], drawn[4], drawn[8])] == ["6 ┤", "3 ┤", "0 ┤"]


def test_curves_keep_their_shape_in_ascii() -> None:
    x, y = plot.Axis(0, 100, "steps"), plot.Axis(0, 6)
    drawn = [in_ascii(line.plain) for line in plot.curves(FALLING, LEVEL, x, y, 60, 11)]
    assert "".join(drawn).isascii()
    assert "?" not in "".join(drawn)
    assert sum(line.count("*") for line in drawn) == 1
    assert sum(line.count("o") for line in drawn[:-1]) == 1


@pytest.mark.parametrize(
    ("greatest", "high"), [(0.0, 1), (0.3, 0.4), (1.0, 1), (7.2, 8), (450, 600), (10_000, 10_000)]
)
def test_an_axis_ends_at_a_round_number(greatest: float, high: float) -> None:
    assert plot.up_to(greatest).high == pytest.approx(high)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=14), st.integers(1, 4))
def test_only_days_with_reviews_have_a_bar(counts: list[int], height: int) -> None:
    numbers, *bars = plot.columns(counts, 4, height)
    assert len(bars) == height
    assert {len(line) for line in (numbers, *bars)} == {4 * len(counts)}
    for day, count in enumerate(counts):
        assert bool(bars[-1][4 * day : 4 * day + 4].strip()) == (count > 0)


def test_the_first_screen_loads_no_plot_library() -> None:
    code = "import sys, tutor.app.app; print({'plotille', 'textual_plot'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"

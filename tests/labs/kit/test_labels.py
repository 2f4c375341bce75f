"""Test that the names of points don't cover each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tutor.labs.kit.words.labels import Spot, place

WIDTH, HEIGHT = 30, 8
SPOTS = st.lists(
    st.builds(
        Spot,
        x=st.integers(0, WIDTH - 1),
        y=st.integers(0, HEIGHT - 1),
        name=st.text("abc東", max_size=8),
    ),
    max_size=40,
)


@given(SPOTS)
def test_no_name_covers_a_point_or_a_name_or_the_edge(spots: list[Spot]) -> None:
    points = {(spot.x, spot.y) for spot in spots}
    taken: set[tuple[int, int]] = set()
    for spot, start in zip(spots, place(spots, WIDTH, HEIGHT), strict=True):
        if start is None:
            continue
        cells = {(start[0] + step, start[1]) for step in range(cell_len(spot.name))}
        assert cells
        assert not cells & points
        assert not cells & taken
        assert all(0 <= x < WIDTH and 0 <= y < HEIGHT for x, y in cells)
        assert abs(start[1] - spot.y) <= 1
        taken |= cells | {(start[0] - 1, start[1]), (start[0] + cell_len(spot.name), start[1])}


def test_the_right_side_is_preferred_and_earlier_points_take_precedence() -> None:
    assert place([Spot(0, 0, "one")], WIDTH, HEIGHT) == [(1, 0)]
    assert place([Spot(WIDTH - 1, 0, "one")], WIDTH, HEIGHT) == [(WIDTH - 4, 0)]
    assert place([Spot(1, 0, "one"), Spot(1, 0, "two")], 5, 1) == [(2, 0), None]

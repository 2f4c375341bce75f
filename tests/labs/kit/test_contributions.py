"""Test the drawing of contributions, which the x-ray and labs share."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.fake_engine import split, token
from tutor.app.widgets.clicks import moves_at
from tutor.labs.kit.attribution.parts_map import map_lines
from tutor.labs.kit.attribution.ranked_list import ranked_lines
from tutor.labs.kit.attribution.token_table import TokenEffects, disagree, token_lines
from tutor.labs.kit.attribution.words import part_line, signed, sources_line
from tutor.labs.kit.columns import Room
from tutor.labs.kit.tabs import tabs
from tutor.lm.attribution import Attribution, Occlusion, Part

LOGITS = st.floats(-30, 30)
PATH = split("The capital of France is")


def attribution(layers: int, heads: int, logits: float = 1.0) -> Attribution:
    rows = tuple(tuple(logits * (head - layer) for head in range(heads)) for layer in range(layers))
    network = tuple(-logits for _ in range(layers))
    return Attribution(
        target=token(" Paris"),
        against=token(" Berlin"),
        logit=0.25 + sum(map(sum, rows)) + sum(network),
        embedding=0.25,
        heads=rows,
        feed_forward=network,
    )


@given(st.integers(1, 40), st.integers(1, 33), LOGITS, st.integers(38, 160), st.integers(4, 40))
def test_lists_and_maps_fit(layers: int, heads: int, logits: float, width: int, rows: int) -> None:
    found, room = attribution(layers, heads, logits), Room(width, rows)
    ranked = found.contributions
    for at in (0, len(ranked) - 1):
        lines = ranked_lines(found, ranked, at, room)
        assert len(lines) <= rows
        assert sum(line.plain.startswith("›") for line in lines) == 1
        assert all(line.cell_length <= width for line in lines)
    for part in (Part(0, 0), Part(layers - 1, heads - 1), Part(layers - 1)):
        lines = map_lines(found, part, room)
        lines += [part_line(found, part, width)]
        assert len(lines) <= rows + 1
        assert all(line.cell_length <= width for line in lines)


@given(
    st.lists(LOGITS, min_size=5, max_size=5),
    st.lists(LOGITS, max_size=4),
    st.integers(38, 160),
    st.integers(2, 20),
)
def test_tokens_fit(direct: list[float], lost: list[float], width: int, rows: int) -> None:
    removed = {at: Occlusion(at, PATH[at], value, 0.5) for at, value in enumerate(lost)}
    for known in (None, direct):
        lines = token_lines(TokenEffects(PATH, known, removed), 4, Room(width, rows))
        assert all(line.cell_length <= width for line in lines)
        assert len(lines) <= rows
    line = sources_line(PATH, direct, Part(0, 0), width)
    assert line.cell_length <= width


def test_the_sources_are_listed_by_size() -> None:
    line = sources_line(PATH, [0.1, -2.0, 0.001, 3.0, 0.5], Part(0, 0), 80)
    assert line.plain == "taken from  ␣France +3.00  ␣capital -2.00  ␣is +0.50  The +0.10"


@pytest.mark.parametrize(
    ("direct", "lost", "differ"),
    [
        (2.0, 2.5, False),
        (1.95, -1.71, True),
        (0.2, 1.6, False),
        (10.0, 8.5, True),
        (0.1, 2.2, True),
    ],
)
def test_when_the_methods_disagree(direct: float, lost: float, differ: bool) -> None:
    assert disagree(direct, lost) == differ
    removed = {3: Occlusion(3, PATH[3], lost, 0.5)}
    effects = TokenEffects(PATH, [0.0, 0.0, 0.0, direct, 0.0], removed)
    (row,) = (line.plain for line in token_lines(effects, 3, Room(80, 9))[4:5])
    assert row.startswith("›   4  ␣France")
    assert row.endswith("≠") == differ


@given(st.lists(st.text("abcdef", min_size=1, max_size=9), min_size=1, max_size=9), st.data())
def test_the_current_tab_is_always_visible(names: list[str], data: st.DataObject) -> None:
    current = data.draw(st.integers(0, len(names) - 1))
    width = data.draw(st.integers(20, 80))
    line = tabs([(name, at == current) for at, name in enumerate(names)], width).plain
    assert f"› {names[current]}" in line
    assert len(line.rstrip()) <= width
    if "…" not in line:
        assert all(name in line for name in names)


def test_a_contribution_near_zero_has_no_sign() -> None:
    assert [signed(value) for value in (-0.004, 0.0, 0.004, -0.006)] == ["0.00"] * 3 + ["-0.01"]


def test_a_click_on_the_map_moves_the_focus() -> None:
    lines = map_lines(attribution(3, 4), Part(0, 1), Room(80, 10))
    top = lines[1]
    assert dict(moves_at(lines, top.cell_length - 1, 1)) == {"layer": 2, "part": 3}


def test_contributions_are_sorted_once_and_never_sent() -> None:
    found = attribution(2, 3, 1.5)
    sent = msgspec.msgpack.encode(found)
    assert found.contributions is found.contributions
    assert msgspec.msgpack.encode(found) == sent
    assert msgspec.msgpack.decode(sent, type=Attribution) == found

"""Test the lab with the map of words."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.labs.lab_backend import backend, done, small_model
from tutor.errors import LabError
from tutor.labs.kit.actions import Adjust, Choose, EditText, MoveFocus
from tutor.labs.kit.words import groups as word_groups
from tutor.labs.kit.words import zoom
from tutor.labs.kit.words.groups import MOST_GROUPS, MOST_WORDS, own_words
from tutor.labs.word_map import lab
from tutor.labs.word_map.lab import Answer, Pan, Question, ShowWholeMap, State
from tutor.lm.distribution import Token


def with_map(words: str, points: tuple[lab.Point, ...], cosines: list[list[float]]) -> State:
    """Return a state with a map of these points."""
    state = lab.act(lab.State(), EditText(words))
    forms = tuple((Token(n, w, w.encode()),) for n, w in enumerate(state.chosen.all))
    answer = Answer(forms, points, (0.5, 0.3), tuple(map(tuple, cosines)))
    return lab.receive(state, Question(state.chosen.all), answer)


def test_a_map_shows_the_rows_of_its_words(tmp_path: Path) -> None:
    state = done("word-map", backend("word-map", tmp_path), EditText("man woman; year day month"))
    assert state.map is not None
    ids = [form[0].id for form in state.map.forms]
    rows = small_model().network.embedding(torch.tensor(ids)).double()
    points = torch.tensor(state.map.points).double()
    centered = rows - rows.mean(0)
    assert state.map.shares[0] == pytest.approx(
        float(points[:, 0].square().sum() / centered.square().sum()), abs=1e-5
    )
    # No two points are further apart than their rows.
    assert (torch.cdist(points, points) <= torch.cdist(rows, rows) + 1e-4).all()
    wanted = torch.nn.functional.cosine_similarity(rows[:, None], rows[None], dim=-1).tolist()
    for found, exact in zip(state.map.cosines, wanted, strict=True):
        assert found == pytest.approx(exact, abs=1e-5)


def test_the_bundled_maps_are_shown_in_turn(tmp_path: Path) -> None:
    state = lab.State()
    titles = []
    for _ in word_groups.SHIPPED:
        titles.append(state.chosen.title)
        state = lab.act(state, Choose(1, "map"))
    assert titles == [words.title for words in word_groups.SHIPPED]
    assert state.chosen == word_groups.SHIPPED[0]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("words", word_groups.SHIPPED, ids=lambda words: words.title)
def test_the_bundled_maps_are_within_the_limits(words: word_groups.Words) -> None:
    assert len(words.all) == len(set(words.all)) <= MOST_WORDS
    assert len(words.groups) <= MOST_GROUPS


def test_own_words_are_split_into_groups() -> None:
    words = own_words("cat dog, cow;seven eight\nred")
    assert [group.words for group in words.groups] == [
        ("cat", "dog", "cow"),
        ("seven", "eight"),
        ("red",),
    ]
    assert words.group_of == (0, 0, 0, 1, 1, 2)


def test_a_slash_between_spaces_separates_groups_too() -> None:
    words = own_words("cat dog / seven and/or / red")
    assert [group.words for group in words.groups] == [
        ("cat", "dog"),
        ("seven", "and/or"),
        ("red",),
    ]


def test_words_beyond_the_limits_are_left_out_and_counted() -> None:
    many = own_words(" ".join(f"w{n}" for n in range(MOST_WORDS + 4)))
    assert (len(many.all), many.left_out) == (MOST_WORDS, 4)
    groups = own_words(";".join("abcdefgh"))
    assert (len(groups.groups), groups.left_out) == (
        MOST_GROUPS,
        8 - MOST_GROUPS,
    )
    across = own_words(
        " ".join(f"v{n}" for n in range(30)) + ";" + " ".join(f"w{n}" for n in range(9))
    )
    assert (len(across.all), across.left_out) == (MOST_WORDS, 3)
    assert own_words("a b c; c d").all == ("a", "b", "c", "d")
    with pytest.raises(LabError):
        own_words("cat dog; cat")


SQUARE = ((0.0, 0.0), (1.0, 0.0), (10.0, 0.0), (11.0, 0.0), (0.0, 2.0), (11.0, 2.0))
ONES = [[1.0] * 6] * 6


def test_groups_are_apart_if_each_point_is_nearest_to_its_own_group() -> None:
    assert "own-groups" in lab.LAB.reached(with_map("a b e; c d f", _order("abecdf"), ONES))
    assert "own-groups" not in lab.LAB.reached(with_map("a c e; b d f", _order("acebdf"), ONES))
    assert "own-groups" not in lab.LAB.reached(with_map("a b e c d f", _order("abecdf"), ONES))


def test_repeating_bundled_groups_reaches_no_goal() -> None:
    text = ";".join(" ".join(group.words) for group in word_groups.SHIPPED[0].groups[:2])
    points = tuple((float(n // 8) * 100, float(n)) for n in range(16))
    state = with_map(text, points, [[1.0] * 16] * 16)
    assert "own-groups" not in lab.LAB.reached(state)


def _order(names: str) -> tuple[lab.Point, ...]:
    return tuple(SQUARE["abcdef".index(name)] for name in names)


def test_the_map_misleads_if_the_nearest_row_is_another() -> None:
    cosines = [[1.0, 0.2, 0.9], [0.2, 1.0, 0.1], [0.9, 0.1, 1.0]]
    state = with_map("a b c", SQUARE[:3], cosines)
    assert (state.nearest_on_map(0), state.nearest_row(0)) == (1, 2)
    assert (state.nearest_on_map(1), state.nearest_row(1)) == (0, 0)
    assert "misleads" not in lab.LAB.reached(state)  # Before zooming in.
    assert "misleads" in lab.LAB.reached(lab.act(state, Adjust(1, "zoom")))
    assert "misleads" not in lab.LAB.reached(
        lab.act(lab.act(state, Adjust(2, "zoom")), MoveFocus(1, "word"))
    )


MOVES = st.lists(
    st.one_of(
        st.builds(Pan, right=st.integers(-9, 9), up=st.integers(-9, 9)),
        st.builds(Adjust, by=st.integers(-9, 9), dial=st.just("zoom")),
        st.builds(MoveFocus, by=st.integers(-9, 9), axis=st.just("word")),
        st.builds(ShowWholeMap),
    ),
    max_size=30,
)


@given(MOVES)
def test_the_center_is_always_on_the_map(moves: list[lab.Action]) -> None:
    state = with_map("a b c d e f", SQUARE, ONES)
    for move in moves:
        state = lab.act(state, move)
        assert 1 <= state.zoom <= zoom.MOST
        assert (state.center is None) == (state.zoom == 1) or state.zoom > 1
        x, y = state.center or lab.middle(SQUARE)
        assert 0 <= x <= 11
        assert 0 <= y <= 2
        assert 0 <= state.focus < 6
    assert lab.act(state, ShowWholeMap()).center is None


def test_zooming_centers_the_word_in_focus() -> None:
    state = lab.act(
        lab.act(with_map("a b c", SQUARE[:3], ONES), MoveFocus(2, "word")), Adjust(1, "zoom")
    )
    assert state.center == SQUARE[2]
    assert lab.act(state, MoveFocus(1, "word")).center == SQUARE[0]

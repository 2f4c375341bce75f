"""Test every number in the attention lab against a forward pass that is written out."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.labs.by_formula import by_formula
from tests.labs.lab_backend import backend, done, small_model
from tutor.errors import TextError
from tutor.labs.attention import lab as attention
from tutor.labs.attention.lab import MOST_TOKENS, RankHeads, Read, ShowHead
from tutor.labs.kit.actions import EditText, MoveFocus, ShowView
from tutor.lm.inspect import heads

TWICE = "The king saw the king and the queen saw the king."


Weights = list[list[list[list[float]]]]


@pytest.fixture
def weights() -> Weights:
    """Return the attention weights of `TWICE`: [layer][head][row][column]."""
    with torch.inference_mode():
        _, attention, _ = by_formula(small_model().tokenizer.encode(TWICE))
    found: Weights = attention.tolist()
    return found


def test_the_row_matches_the_networks_weights(weights: Weights, tmp_path: Path) -> None:
    state = done(
        "attention",
        backend("attention", tmp_path),
        EditText(TWICE),
        MoveFocus(4, "layer"),
        MoveFocus(2, "head"),
        MoveFocus(-3, "token"),
    )
    assert (state.layer, state.head, state.token) == (4, 2, len(state.tokens) - 4)
    assert list(state.row(state.token)) == pytest.approx(weights[4][2][state.token], abs=1e-6)


def test_each_score_is_the_mean_attention_computed_by_hand(
    weights: Weights, tmp_path: Path
) -> None:
    state = done("attention", backend("attention", tmp_path), EditText(TWICE))
    ids = [token.id for token in state.tokens]
    targets = {
        "previous": lambda t: [t - 1] if t else [],
        "first": lambda t: [0] if t else [],
        "itself": lambda t: [t] if t else [],
        "same": lambda t: [j for j in range(t) if ids[j] == ids[t]],
    }
    for pattern, found in state.sentence.scores.items():
        for at, score in enumerate(found):
            layer, head = divmod(at, 4)
            shares = [
                sum(row[j] for j in targets[pattern](t))
                for t, row in enumerate(weights[layer][head])
                if targets[pattern](t)
            ]
            assert score == pytest.approx(sum(shares) / len(shares), abs=1e-5)
    assert set(state.sentence.scores) == set(attention.PATTERNS)


def test_the_finder_ranks_all_heads_and_shows_the_chosen_one(tmp_path: Path) -> None:
    state = done(
        "attention", backend("attention", tmp_path), RankHeads("first"), MoveFocus(2, "rank")
    )
    ranking = state.ranking()
    assert len({(layer, head) for layer, head, _ in ranking}) == len(ranking) == 6 * 4
    assert [score for *_, score in ranking] == sorted((s for *_, s in ranking), reverse=True)
    there = attention.act(state, ShowHead())
    assert (there.layer, there.head) == ranking[2][:2]
    assert there.score("first") == ranking[2][2]


def test_without_a_repeated_token_there_is_nothing_to_rank(tmp_path: Path) -> None:
    state = done(
        "attention", backend("attention", tmp_path), EditText("One cat sleeps"), RankHeads("same")
    )
    assert state.ranking() == []
    assert attention.act(state, ShowHead()) == state


def test_only_the_beginning_of_a_long_text_is_used(tmp_path: Path) -> None:
    state = done("attention", backend("attention", tmp_path), EditText("a b " * 60))
    whole = small_model().tokenizer.encode("a b " * 60)
    assert [token.id for token in state.tokens] == whole[:MOST_TOKENS]
    assert state.sentence.left_out == len(whole) - MOST_TOKENS


def test_an_empty_text_is_refused() -> None:
    with pytest.raises(TextError):
        attention.act(attention.State(), EditText(" \n"))


def test_layer_head_and_token_stay_in_range(tmp_path: Path) -> None:
    there = backend("attention", tmp_path)
    state = done(
        "attention", there, MoveFocus(99, "layer"), MoveFocus(99, "head"), MoveFocus(-99, "token")
    )
    assert (state.layer, state.head, state.token) == (5, 3, 0)


def test_a_new_engine_is_asked_only_for_what_is_missing(tmp_path: Path) -> None:
    state = done("attention", backend("attention", tmp_path))
    moved = attention.act(state, MoveFocus(1, "layer"))
    assert attention.question(moved) == attention.Look(moved.text, 1)
    weights = backend("attention", tmp_path).answer(attention.question(moved)).data
    found = array("f", weights)
    assert len(found) == 4 * len(state.tokens) ** 2
    assert isinstance(backend("attention", tmp_path).answer(Read("a b")), attention.Sentence)


@settings(deadline=None)  # The first tensor takes a while.
@given(st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_the_targets_of_each_pattern(ids: list[int]) -> None:
    for t, own in enumerate(ids):
        before = range(t)
        expected = {
            "previous": {t - 1} if t else set(),
            "first": {0} if t else set(),
            "itself": {t} if t else set(),
            "same": {j for j in before if ids[j] == own},
            "after-same": {j + 1 for j in before if ids[j] == own},
        }
        for pattern, targets in expected.items():
            found = heads.PATTERNS[pattern](ids)[t]
            assert set(found.nonzero().flatten().tolist()) == targets


def test_the_map_counts_for_the_sink_goal_like_the_row(tmp_path: Path) -> None:
    state = done(
        "attention",
        backend("attention", tmp_path),
        EditText(TWICE),
        RankHeads("previous"),
        ShowHead(),
    )
    count = len(state.tokens)
    certain = attention.Weights(array("f", [1.0] + [0.0] * (count - 1)).tobytes() * count * 4)
    layer = state.layer
    state = attention.receive(state, attention.Look(state.text, layer), certain)
    assert "sink" in attention.LAB.reached(state)
    assert "sink" in attention.LAB.reached(attention.act(state, ShowView("row")))
    assert "sink" not in attention.LAB.reached(attention.act(state, ShowView("finder")))

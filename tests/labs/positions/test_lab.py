"""Test the positions lab against a forward pass that is written out."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest
import torch

from tests.labs.by_formula import by_formula
from tests.labs.lab_backend import at_last, backend, done, small_model
from tutor.labs.kit.actions import Adjust, EditText, Reset, Toggle
from tutor.labs.kit.next_tokens.row import NextRow
from tutor.labs.positions import lab as positions
from tutor.labs.positions.lab import MOST_TOKENS, SHIFTS, Comparison, State

TEXT = "The little bird sat in the tree and sang."


@torch.inference_mode()
def test_the_prediction_before_matches_the_formula(tmp_path: Path) -> None:
    found = at_last(backend("positions", tmp_path), positions.Question(TEXT, TEXT, 0, True))
    ids = [token.id for token in found.tokens]
    logits, _, _ = by_formula(ids, hide=True)
    chances = logits.softmax(-1)
    best = max(found.rows, key=lambda row: row.before)
    assert best.token.id == int(chances[-1].argmax())
    assert best.before == pytest.approx(float(chances[-1].max()), abs=1e-4)
    assert best.after == best.before
    bits = [-math.log2(chances[at, ids[at + 1]]) for at in range(len(ids) - 1)]
    assert found.bits_before == pytest.approx(sum(bits) / len(bits), abs=1e-3)
    assert found.divergence == pytest.approx(0, abs=1e-6)


def test_only_distances_between_positions_matter(tmp_path: Path) -> None:
    there = backend("positions", tmp_path)
    for shift in SHIFTS:
        found = at_last(there, positions.Question(TEXT, TEXT, shift, True))
        assert found.divergence == pytest.approx(0, abs=1e-3)
        assert found.bits_after == pytest.approx(found.bits_before, abs=1e-2)


def test_without_rope_all_tokens_are_at_the_same_position(tmp_path: Path) -> None:
    there = backend("positions", tmp_path)
    off = at_last(there, positions.Question(TEXT, TEXT, 0, False))
    assert off.divergence > 0.01
    shifted = at_last(there, positions.Question(TEXT, TEXT, 500, False))
    assert shifted.rows == off.rows


def test_the_order_is_compared_at_the_same_positions(tmp_path: Path) -> None:
    there = backend("positions", tmp_path)
    state: State = done("positions", there, EditText(TEXT), Toggle("order"), Toggle("rotary"))
    assert state.result is not None
    in_order = at_last(there, positions.Question(TEXT, TEXT, 0, False))
    assert state.result.order_divergence != pytest.approx(state.result.divergence)
    assert in_order.order_divergence == pytest.approx(0, abs=1e-6)


def test_shuffling_keeps_the_words_and_the_last_one() -> None:
    state = State(text=TEXT, shuffled=True, seed=3)
    assert sorted(state.changed.split()) == sorted(TEXT.split())
    assert state.changed.split()[-1] == "sang."
    assert state.changed != TEXT
    assert State(text=TEXT).changed == TEXT


def test_reset_keeps_the_text(tmp_path: Path) -> None:
    there = backend("positions", tmp_path)
    state = done("positions", there, EditText(TEXT), Adjust(2, "shift"), Toggle("order"), Reset())
    assert (state.text, state.shift, state.shuffled, state.rotary) == (TEXT, 0, False, True)


def test_a_new_seed_shuffles(tmp_path: Path) -> None:
    state = done("positions", backend("positions", tmp_path), Adjust(1, "seed"))
    assert state.shuffled
    assert state.seed == 2


def test_a_single_word_and_a_long_text(tmp_path: Path) -> None:
    there = backend("positions", tmp_path)
    one = done("positions", there, EditText("a"), Toggle("order"))
    assert one.result is not None
    assert one.result.bits_after == 0
    long = done("positions", there, EditText("a b " * 40))
    assert len(long.result.tokens) == MOST_TOKENS
    assert long.result.left_out > 0


def result(state: State, **numbers: float) -> State:
    token = small_model().tokenizer.token(9)
    values = {
        "divergence": 1.0,
        "order_divergence": 1.0,
        "bits_before": 1.0,
        "bits_after": 1.0,
        **numbers,
    }
    rows = (NextRow(token, 0.5, 0.2),)
    return msgspec.structs.replace(state, result=Comparison((token,), 0, rows, **values))


def test_goals_need_their_setting() -> None:
    reached = positions.LAB.reached
    assert reached(result(State(shift=500), divergence=0.001)) == {"shifted"}
    assert reached(result(State(shift=100), divergence=0.001)) == frozenset()
    assert reached(result(State(rotary=False), bits_after=2.0)) == {"no-positions"}
    hidden = result(State(rotary=False, shuffled=True), order_divergence=0.1)
    assert reached(hidden) == {"order-hidden"}
    assert reached(result(State(shuffled=True), order_divergence=0.1)) == frozenset()

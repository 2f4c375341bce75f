"""Test the five steps of the formula against PyTorch's attention and the network's own."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.labs.by_formula import by_formula
from tests.labs.lab_backend import backend, done, settled, small_model
from tutor.labs.attention_formula import by_hand
from tutor.labs.attention_formula import lab as formula
from tutor.labs.attention_formula.lab import MOST_TOKENS, State, Worked
from tutor.labs.kit.actions import EditText, MoveFocus, Toggle
from tutor.lm.network import Block, Trace

NUMBERS = st.floats(-4, 4, width=32)


def worked_in(state: State) -> Worked:
    assert state.worked is not None
    return state.worked


@settings(deadline=None)  # The first tensor takes a while.
@given(
    st.integers(1, 6).flatmap(
        lambda size: st.lists(
            st.tuples(*[st.lists(NUMBERS, min_size=size, max_size=size)] * 3),
            min_size=1,
            max_size=7,
        )
    ),
    st.integers(0, 6),
)
def test_the_five_steps_match_pytorchs_attention(
    rows: list[tuple[list[float], ...]], position: int
) -> None:
    queries, keys, values = (list(vectors) for vectors in zip(*rows, strict=True))
    position = min(position, len(rows) - 1)
    products = by_hand.products(queries[position], keys)
    shares = by_hand.softmax(by_hand.masked(by_hand.scaled(products, len(keys[0])), position))
    q, k, v = (
        torch.tensor(vectors, dtype=torch.float64)[None] for vectors in (queries, keys, values)
    )
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)[0, position].tolist()
    assert by_hand.weighted_sum(shares, values) == pytest.approx(expected, abs=1e-9)
    assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize(("layer", "head"), [(0, 0), (2, 3), (5, 1)])
def test_the_sum_matches_the_networks_result_for_every_token(
    layer: int, head: int, tmp_path: Path
) -> None:
    there = backend("attention-formula", tmp_path)
    state = done("attention-formula", there, MoveFocus(-99, "layer"), MoveFocus(-99, "head"))
    state = formula.act(formula.act(state, MoveFocus(layer, "layer")), MoveFocus(head, "head"))
    state = settled(formula.LAB, state, there)
    with torch.inference_mode():
        _, attention, _ = by_formula([token.id for token in state.tokens])
    for token in range(len(state.tokens)):
        worked = worked_in(formula.act(state, MoveFocus(token - state.token, "token")))
        assert worked.off is not None
        assert worked.off < 1e-5
        own = attention[layer, head, token].tolist()
        assert worked.shares == pytest.approx(own, abs=1e-6)
        assert max(map(abs, worked.total)) > 1e-3  # Two zero vectors would be equal too.


def test_the_sums_of_all_heads_make_up_the_blocks_output(tmp_path: Path) -> None:
    """Attention adds all heads' sums, concatenated and multiplied by the output matrix."""
    there, model = backend("attention-formula", tmp_path), small_model()
    state = done("attention-formula", there)
    config = model.network.config
    sums = []
    for head in range(config.heads):
        answer = there.answer(formula.Question(state.text, 3, head))
        sums.append(torch.tensor([list(row) for row in answer.rows(answer.answers)]))
    trace = Trace()
    with torch.inference_mode():
        block = model.network.blocks[3]
        assert isinstance(block, Block)
        model.network(torch.tensor([token.id for token in state.tokens]), None, trace)
        middle = trace.residuals[3] + block.attention.output(torch.cat(sums, dim=-1))
        out = middle + block.feed_forward(block.feed_forward_norm(middle))
    assert out == pytest.approx(trace.residuals[4], abs=1e-4)


def test_without_the_root_the_scores_are_not_divided(tmp_path: Path) -> None:
    state = done("attention-formula", backend("attention-formula", tmp_path), MoveFocus(3, "step"))
    plain = worked_in(state)
    without = worked_in(formula.act(state, Toggle("root")))
    assert without.scaled == plain.products
    assert plain.scaled == pytest.approx([p / math.sqrt(64) for p in plain.products])
    assert max(without.shares) > max(plain.shares)
    assert without.off is None


def test_without_the_mask_later_tokens_get_attention(tmp_path: Path) -> None:
    state = done(
        "attention-formula", backend("attention-formula", tmp_path), MoveFocus(-4, "token")
    )
    later = state.token + 1
    assert set(worked_in(state).shares[later:]) == {0.0}
    without = worked_in(formula.act(state, Toggle("mask")))
    assert min(without.shares[later:]) > 0
    assert sum(without.shares) == pytest.approx(1)


def test_the_vectors_are_requested_once_per_head(tmp_path: Path) -> None:
    state = done("attention-formula", backend("attention-formula", tmp_path))
    actions: tuple[formula.Action, ...] = (
        MoveFocus(4, "step"),
        MoveFocus(-2, "token"),
        MoveFocus(3, "key"),
        Toggle("root"),
        Toggle("mask"),
    )
    for action in actions:
        state = formula.act(state, action)
        assert formula.question(state) is None
    assert formula.question(formula.act(state, MoveFocus(-1, "head"))) is not None


def test_moving_while_another_head_is_awaited_does_not_use_the_old_vectors(
    tmp_path: Path,
) -> None:
    state = done("attention-formula", backend("attention-formula", tmp_path))
    awaited = formula.act(state, MoveFocus(-1, "head"))
    actions: tuple[formula.Action, ...] = (MoveFocus(-1, "token"), Toggle("mask"))
    for action in actions:
        awaited = formula.act(awaited, action)
        assert awaited.worked is None
        assert formula.question(awaited) is not None


def test_the_step_stays_in_range_and_a_long_text_is_cut(tmp_path: Path) -> None:
    there = backend("attention-formula", tmp_path)
    state = done("attention-formula", there, MoveFocus(99, "step"), EditText("one two " * 40))
    assert state.step == 0
    assert len(state.tokens) == MOST_TOKENS
    assert state.read.left_out > 0
    assert state.token == MOST_TOKENS - 1
    assert done("attention-formula", there, MoveFocus(99, "step")).step == formula.SUM
    assert done("attention-formula", there, MoveFocus(-9, "step")).step == 0


def test_the_sum_goal_needs_the_root_and_the_mask(tmp_path: Path) -> None:
    state = done("attention-formula", backend("attention-formula", tmp_path), MoveFocus(4, "step"))
    assert formula.LAB.reached(state) >= {"sum"}
    assert "sum" not in formula.LAB.reached(formula.act(state, Toggle("mask")))
    early = msgspec.structs.replace(state, token=2)
    assert "sum" not in formula.LAB.reached(early)

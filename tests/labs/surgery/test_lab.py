"""Test the surgery lab: parts that are off add nothing, and all are on again afterwards."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.labs.by_formula import by_formula
from tests.labs.lab_backend import at_last, backend, done, settled, small_model
from tutor.labs.kit.actions import MoveFocus, Reset, ShowView, Toggle
from tutor.labs.kit.next_tokens.row import NextRow
from tutor.labs.surgery import lab
from tutor.labs.surgery.lab import (
    FEED_FORWARD,
    REPEATED,
    SEED,
    Copy,
    Cut,
    Lens,
    Next,
    Scores,
    SwitchOffCopier,
)
from tutor.lm.inspect import interventions as surgery

TEXT = "The little bird sat in the tree and the"
CUTS = (Cut(1, FEED_FORWARD), Cut(2, 0), Cut(2, 3), Cut(4, 1))


def ids_of(text: str = TEXT) -> list[int]:
    return small_model().tokenizer.encode(text)


def without(ids: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    logits, _, streams = by_formula(ids, heads_off={(2, 0), (2, 3), (4, 1)}, feed_forwards_off={1})
    return logits, streams


@torch.inference_mode()
def test_the_distribution_with_parts_off_matches_the_formula(tmp_path: Path) -> None:
    answer = at_last(backend("surgery", tmp_path), Next(TEXT, CUTS))
    before = by_formula(ids_of())[0][-1].softmax(-1)
    after = without(ids_of())[0][-1].softmax(-1)
    for row in answer.rows:
        assert row.before == pytest.approx(float(before[row.token.id]), abs=1e-5)
        assert row.after == pytest.approx(float(after[row.token.id]), abs=1e-5)
    shown = {row.token.id for row in answer.rows}
    assert {*before.topk(6).indices.tolist(), *after.topk(6).indices.tolist()} == shown
    expected = (before * (before / after).log2()).sum()
    assert answer.divergence == pytest.approx(float(expected), abs=1e-4)
    assert answer.divergence > 0.01


@torch.inference_mode()
def test_the_lens_shows_the_stream_before_and_after(tmp_path: Path) -> None:
    answer = at_last(backend("surgery", tmp_path), Lens(TEXT, CUTS))
    network = small_model().network
    before, after = by_formula(ids_of())[2][:, -1], without(ids_of())[1][:, -1]
    assert [row.layer for row in answer.rows] == list(range(7))
    assert answer.target.id == int(network.lens(before[-1]).argmax())
    for row in answer.rows:
        for stream, top, chance in (
            (before, row.before, row.before_target),
            (after, row.after, row.after_target),
        ):
            found = network.lens(stream[row.layer]).softmax(-1)
            assert top.id == int(found.argmax())
            assert chance == pytest.approx(float(found[answer.target.id]), abs=1e-5)


def repeated() -> list[int]:
    special = set(small_model().tokenizer.special_ids.values())
    return surgery.repeated_tokens(
        [id_ for id_ in range(4096) if id_ not in special], REPEATED, SEED
    )


@torch.inference_mode()
def test_an_induction_head_attends_to_the_token_after_an_earlier_copy(tmp_path: Path) -> None:
    answer = at_last(backend("surgery", tmp_path), Scores())
    _, attention, _ = by_formula(repeated())
    for at, score in enumerate(answer.scores):
        weights = attention[at // 4, at % 4]
        shares = [float(weights[t, t - REPEATED + 1]) for t in range(REPEATED, 2 * REPEATED)]
        assert score == pytest.approx(sum(shares) / REPEATED, abs=1e-5)


@torch.inference_mode()
def test_copying_is_measured_on_repeated_tokens(tmp_path: Path) -> None:
    ids = repeated()

    def cost(logits: torch.Tensor, first: int, last: int) -> float:
        chances = logits.softmax(-1)
        bits = [-math.log2(float(chances[t - 1, ids[t]])) for t in range(first, last)]
        return sum(bits) / len(bits)

    answer = at_last(backend("surgery", tmp_path), Copy(CUTS))
    whole, cut = by_formula(ids)[0], without(ids)[0]
    assert answer.new == pytest.approx(cost(whole, 1, REPEATED), abs=1e-3)
    assert answer.before == pytest.approx(cost(whole, REPEATED + 1, 2 * REPEATED), abs=1e-3)
    assert answer.after == pytest.approx(cost(cut, REPEATED + 1, 2 * REPEATED), abs=1e-3)


@torch.inference_mode()
def test_all_parts_are_on_again_afterwards() -> None:
    network = small_model().network
    read = torch.tensor(ids_of())
    before = network(read)
    with surgery.switched_off(network, [(0, 0), (0, 2)], [3]):
        assert not torch.equal(network(read), before)
    assert torch.equal(network(read), before)
    with pytest.raises(KeyError), surgery.switched_off(network, [(0, 0)], [3]):
        raise KeyError
    assert torch.equal(network(read), before)


@torch.inference_mode()
def test_without_any_part_only_the_embedding_is_left() -> None:
    network = small_model().network
    read = torch.tensor(ids_of())
    everything = [(layer, head) for layer in range(6) for head in range(4)]
    with surgery.switched_off(network, everything, range(6)):
        final = network(read)
    assert final == pytest.approx(network.norm(network.embedding(read)), abs=1e-5)


@given(st.integers(1, 30), st.integers(0, 5))
def test_each_random_token_occurs_exactly_twice(length: int, seed: int) -> None:
    ids = surgery.repeated_tokens(range(100, 140), length, seed)
    assert ids[:length] == ids[length:]
    assert len(set(ids)) == length
    assert ids == surgery.repeated_tokens(range(100, 140), length, seed)


def test_switching_a_part_off_or_on_asks_again(tmp_path: Path) -> None:
    there = backend("surgery", tmp_path)
    state = done("surgery", there, MoveFocus(2, "layer"), MoveFocus(1, "part"), Toggle("part"))
    assert state.cuts == (Cut(2, 1),)
    assert lab.question(lab.act(state, Toggle("part"))) == Next(state.text, ())
    assert done("surgery", there, MoveFocus(99, "part"), Toggle("part")).cuts == (
        Cut(0, FEED_FORWARD),
    )
    block = lab.act(state, Toggle("heads"))
    assert block.attention_off(2)
    assert lab.act(block, Toggle("heads")).cuts == ()
    assert lab.act(block, Reset()).cuts == ()


@pytest.mark.parametrize("view", ["next", "lens", "copying"])
def test_the_next_token_is_known_in_every_view(view: lab.View, tmp_path: Path) -> None:
    state = done("surgery", backend("surgery", tmp_path), ShowView(view), Toggle("heads"))
    assert state.next is not None


def test_the_parts_of_another_model_are_left_out(tmp_path: Path) -> None:
    """Parts that an earlier session switched off can be those of a larger model."""
    there = backend("surgery", tmp_path)
    state = lab.LAB.restored(b'{"cuts":[[1,0],[99,0],[0,99],[-1,0]],"layer":99,"part":99}')
    state = settled(lab.LAB, state, there)
    assert state.cuts == (Cut(1, 0),)
    assert state.next == done("surgery", there, MoveFocus(1, "layer"), Toggle("part")).next


def test_the_best_copier_is_switched_off_first_and_then_the_next(tmp_path: Path) -> None:
    there = backend("surgery", tmp_path)
    state = done("surgery", there, ShowView("copying"), SwitchOffCopier(), SwitchOffCopier())
    order = sorted(range(24), key=lambda at: -state.scores[at])
    assert set(state.cuts) == {Cut(*divmod(at, 4)) for at in order[:2]}
    assert (state.layer, state.part) == divmod(order[1], 4)


def with_cuts(*cuts: Cut, after: float = 0.9, divergence: float = 0.01) -> lab.State:
    """Return a state with 3 layers and 2 heads whose top token fell from 90 % to `after`."""
    one, other = (small_model().tokenizer.token(id_) for id_ in (50, 60))
    rows = (NextRow(one, 0.9, after), NextRow(other, 0.1, 1 - after))
    found = lab.Distributions(3, 2, (one,), 0, rows, divergence)
    return lab.State(text=TEXT, cuts=tuple(sorted(cuts)), layers=3, heads=2, next=found)


def test_a_whole_block_is_hardly_missed() -> None:
    block = (Cut(1, 0), Cut(1, 1))
    assert lab.LAB.reached(with_cuts(*block)) == {"hardly-missed"}
    assert lab.LAB.reached(with_cuts(Cut(2, FEED_FORWARD))) == {"hardly-missed"}
    assert lab.LAB.reached(with_cuts(*block, divergence=0.06)) == set()
    assert lab.LAB.reached(with_cuts(block[0])) == set()


def test_the_goal_needs_a_single_block_that_changes_the_top_token() -> None:
    def reached(*cuts: Cut) -> bool:
        return "other-choice" in lab.LAB.reached(with_cuts(*cuts, after=0.4, divergence=1))

    assert reached(Cut(1, FEED_FORWARD))
    assert reached(Cut(1, 0), Cut(1, 1))
    assert not reached(Cut(1, 0), Cut(1, FEED_FORWARD))
    assert not reached(Cut(1, 0), Cut(2, 0))
    assert not reached()


def test_copying_fails_if_few_heads_off_double_the_surprisal() -> None:
    def reached(cuts: tuple[Cut, ...], new: float, before: float, after: float) -> bool:
        copied = lab.Copied(new, before, after)
        state = lab.State(text=TEXT, cuts=cuts, layers=12, heads=2, copied=copied)
        return "copying-dies" in lab.LAB.reached(state)

    heads = tuple(Cut(layer, 0) for layer in range(9))
    assert reached(heads[:8], 20, 5, 11)
    assert not reached(heads, 20, 5, 11)
    assert not reached(heads[:8], 20, 5, 9)
    assert not reached(heads[:8], 20, 12, 25)  # It could not copy before either.
    assert not reached((Cut(0, FEED_FORWARD),), 20, 5, 11)

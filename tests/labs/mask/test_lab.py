"""Test the mask lab with and without the mask against a forward pass that is written out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.labs.by_formula import by_formula
from tests.labs.lab_backend import at_last, backend, done, small_model
from tutor.labs.kit.actions import EditText, MoveFocus, Toggle
from tutor.labs.mask import lab as mask
from tutor.labs.mask.lab import MOST_TOKENS, Reading
from tutor.lm.inspect.interventions import unmasked

TEXT = "The little bird sat in the tree and the little bird sang."


@pytest.mark.parametrize("hide", [True, False])
@torch.inference_mode()
def test_both_readings_match_the_formula(hide: bool, tmp_path: Path) -> None:
    answer = at_last(backend("mask", tmp_path), mask.Question(TEXT, hide))
    ids = [token.id for token in answer.tokens]
    logits, attention, _ = by_formula(ids, hide=hide)
    chances = logits.softmax(-1)
    bits = [-math.log2(chances[at, ids[at + 1]]) for at in range(len(ids) - 1)]
    assert answer.bits == pytest.approx(bits, abs=1e-3)
    assert [token.id for token in answer.best] == logits.argmax(-1).tolist()
    assert answer.chances == pytest.approx(chances.max(-1).values.tolist(), abs=1e-4)
    for token, row in enumerate(attention.mean((0, 1)).tolist()):
        assert list(answer.row(token)) == pytest.approx(row, abs=1e-5)
        assert answer.ahead(token) == pytest.approx(sum(row[token + 1 :]), abs=1e-5)


@torch.inference_mode()
def test_the_network_is_masked_again_afterwards() -> None:
    network = small_model().network
    read = torch.tensor([5, 6, 7, 8])
    before = network(read)
    with unmasked(network):
        assert not torch.equal(network(read), before)
    assert torch.equal(network(read), before)

    with pytest.raises(KeyError), unmasked(network):
        raise KeyError
    assert torch.equal(network(read), before)


def test_with_the_mask_the_end_changes_no_prediction_before_it(tmp_path: Path) -> None:
    there = backend("mask", tmp_path)
    other = TEXT.replace("sang", "flew away")
    state = done("mask", there, EditText(TEXT), Toggle("mask"), EditText(other), Toggle("mask"))
    assert state.shared == len(small_model().tokenizer.encode(TEXT.split(" sang")[0]))
    assert state.moved(hide=True) == 0
    assert state.moved(hide=False) > 0


def test_a_text_is_not_compared_with_itself(tmp_path: Path) -> None:
    state = done("mask", backend("mask", tmp_path), EditText(TEXT), EditText(TEXT))
    assert state.shared == 0
    assert state.moved(hide=True) is None


def test_only_the_beginning_of_a_long_text_is_used(tmp_path: Path) -> None:
    state = done("mask", backend("mask", tmp_path), EditText("a b " * 40), MoveFocus(99, "token"))
    assert len(state.tokens) == MOST_TOKENS == state.focus + 1
    assert state.shown.left_out > 0


def reading(*bits: float) -> Reading:
    token: Any = small_model().tokenizer.token(9)
    count = len(bits) + 1
    return Reading((token,) * count, 0, bits, (token,) * count, (1.0,) * count, b"")


def test_goals_compare_the_means_of_both_readings() -> None:
    lower = mask.State(text="", readings={True: reading(4, 4, 4, 4), False: reading(1, 1, 1, 1)})
    higher = mask.State(text="", readings={True: reading(1, 1, 1, 1), False: reading(2, 1, 1, 1)})
    assert mask.LAB.reached(lower) == {"reads-off"}
    assert mask.LAB.reached(higher) == {"lost"}
    short = mask.State(text="", readings={True: reading(4), False: reading(1)})
    assert mask.LAB.reached(short) == frozenset()

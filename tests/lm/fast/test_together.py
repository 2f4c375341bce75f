"""Test that one pass for tokens of several texts gives the same results as separate passes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.tiny_model import tiny_model
from tutor.lm.fast.linear import HalfLinear
from tutor.lm.fast.together import pays
from tutor.lm.language_model import LanguageModel
from tutor.lm.session import Session, read_in_one_pass

TEXTS = [
    "The capital of France is",
    "Once upon a time there was a",
    "Two plus two makes",
    "Water boils at",
    "A dog and a cat",
]


def read(model: Any, paths: list[list[int]], beginning: int) -> list[Session]:
    """Return sessions on these paths, with only the first tokens processed."""
    sessions = [Session(model, path) for path in paths]
    for session in sessions:
        session.logits(beginning)
    return sessions


def read_one_more(sessions: list[Session]) -> None:
    read_in_one_pass([(each, len(each) - each.unread(len(each)) + 1) for each in sessions])


def test_each_text_attends_only_to_itself() -> None:
    model = tiny_model()
    paths = [[5, 6, 7, 8], [9, 10, 11, 12, 13], [5, 5, 5, 5, 5, 5, 5]]
    alone, together = read(model, paths, 2), read(model, paths, 2)
    model.network.tokens_read = 0
    for _ in range(2):
        read_one_more(together)
    assert model.network.tokens_read == 0  # no separate passes
    for a, b, path in zip(alone, together, paths, strict=True):
        assert b.unread(len(path)) == len(path) - 4
        for position in range(2, 5):
            torch.testing.assert_close(b.logits(position), a.logits(position), rtol=0, atol=1e-5)


def test_texts_can_need_different_numbers_of_tokens() -> None:
    model = tiny_model()
    paths = [[5, 6, 7, 8], [9, 10, 11, 12, 13], list(range(20, 60))]
    alone, together = [[Session(model, path) for path in paths] for _ in range(2)]
    for sessions in (alone, together):
        sessions[1].logits(3)
    model.network.tokens_read = 0
    read_in_one_pass([(session, len(session)) for session in together])
    assert model.network.tokens_read == 0  # no separate passes
    for a, b in zip(alone, together, strict=True):
        assert b.unread(len(b)) == 0
        for position in range(1, len(b) + 1):
            torch.testing.assert_close(b.logits(position), a.logits(position), rtol=0, atol=1e-5)


def test_a_text_can_continue_and_go_back_as_usual_afterwards() -> None:
    model = tiny_model()
    one, other = read(model, [[5, 6, 7, 8], [9, 10, 11]], 2)
    one.append([20])
    one.go_back(3)
    one.append([30, 31])  # in place of 8 and 20
    read_one_more([one, other])
    fresh = Session(model, [5, 6, 7, 30, 31])
    torch.testing.assert_close(one.logits(5), fresh.logits(5), rtol=0, atol=1e-5)
    assert one.surprisals()[1:] == pytest.approx(fresh.surprisals()[1:], abs=1e-4)


def test_the_default_model_gives_identical_results_with_the_4_bit_kernel(
    language_model: LanguageModel,
) -> None:
    paths = [list(language_model.tokenizer.encode(text)) for text in TEXTS]
    alone, together = read(language_model, paths, 2), read(language_model, paths, 2)
    read_one_more(together)
    exactly = "int4" in language_model.card.kernel
    for a, b in zip(alone, together, strict=True):
        difference = (a.logits(3) - b.logits(3)).abs().max()
        assert difference == 0 if exactly else difference < 0.05


def test_one_pass_pays_except_with_16_bits_on_a_cpu() -> None:
    network = tiny_model().network
    assert pays(network)
    output = network.blocks[0].attention.output
    network.blocks[0].attention.output = HalfLinear(output.weight.detach().half())
    assert not pays(network)

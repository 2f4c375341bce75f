"""Compare the vectors of passages with an independent computation."""

from __future__ import annotations

import math

import pytest
import torch

from tests.labs.lab_backend import small_model
from tutor.labs.rag.passage_vectors import RARE, Reader, blocks_read, halfway, placings
from tutor.labs.word_in_context.backend import streams

TEXTS = ("The cat sat on the mat.", "The dog sat on the log.", "Paris is the capital of France.")


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(small_model().network, small_model().tokenizer, TEXTS)


def test_the_stream_equals_that_of_the_whole_network_at_this_block() -> None:
    network = small_model().network
    ids = small_model().tokenizer.encode(TEXTS[0])
    assert blocks_read(network) == 2
    assert torch.allclose(halfway(network, ids), streams(network, ids)[2], atol=1e-5)


def test_a_vector_is_the_mean_of_its_tokens_with_more_weight_for_rare_ones(reader: Reader) -> None:
    model = small_model()
    split = [model.tokenizer.encode(text) for text in TEXTS]
    ids = split[1]
    stream = streams(model.network, ids)[2]
    weights = [1 / (sum(id_ in other for other in split) + RARE) for id_ in ids]
    rarity = torch.tensor(weights[1:])
    expected = (rarity[:, None] * stream[1:]).sum(0) / rarity.sum()
    assert torch.allclose(reader.vector(TEXTS[1]), expected, atol=1e-5)


def test_texts_of_one_token_and_none_have_vectors(reader: Reader) -> None:
    assert not reader.vector("").any()
    assert torch.isfinite(reader.vector("a")).all()


def test_cosines_are_computed_after_subtracting_the_means() -> None:
    generator = torch.Generator().manual_seed(1)
    passages = torch.randn(7, 5, generator=generator) * torch.tensor([1.0, 2, 30, 1, 1]) + 9
    questions = torch.randn(4, 5, generator=generator)
    place_passage, place_question = placings(passages, questions)
    question = questions[0]
    cosines = place_passage(passages) @ place_question(question)
    spread = [column.square().mean().sub(column.mean() ** 2).sqrt() for column in passages.T]
    for number in range(7):
        one = [
            (float(passages[number, at] - passages[:, at].mean()) / float(spread[at]))
            for at in range(5)
        ]
        other = [
            (float(question[at] - questions[:, at].mean()) / float(spread[at])) for at in range(5)
        ]
        cosine = sum(a * b for a, b in zip(one, other, strict=True)) / (
            math.hypot(*one) * math.hypot(*other)
        )
        assert float(cosines[number]) == pytest.approx(cosine, abs=1e-4)
        alone = place_passage(passages[number]) @ place_question(question)
        assert float(alone) == pytest.approx(cosine, abs=1e-4)


def test_numbers_that_never_vary_give_finite_vectors() -> None:
    place_passage, place_question = placings(torch.ones(3, 4), torch.ones(2, 4))
    assert torch.isfinite(place_passage(torch.ones(3, 4)) @ place_question(torch.ones(4))).all()

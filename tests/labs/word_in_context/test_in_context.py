"""Test the vectors of a word in two sentences against a pass layer by layer."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.labs.lab_backend import small_model
from tutor.labs.word_in_context.backend import cosines, cosines_of_others, last_token_of, streams
from tutor.lm.network import causal_mask, rotations

TEXT = "The bank of the river"


def by_hand(ids: list[int]) -> torch.Tensor:
    """Compute the stream block by block, without a trace."""
    network = small_model().network
    with torch.inference_mode():
        x = network.embedding(torch.tensor(ids))
        turn = rotations(network.config, 0, len(ids))
        mask = causal_mask(len(ids), len(ids), x.device)
        found = [x]
        for block in network.blocks:
            found.append(block(found[-1], turn, mask))
    return torch.stack(found)


def test_streams_are_the_sums_between_the_blocks() -> None:
    ids = small_model().tokenizer.encode(TEXT)
    found = streams(small_model().network, ids)
    assert found.shape == (small_model().card.layers + 1, len(ids), small_model().card.width)
    torch.testing.assert_close(found, by_hand(ids))


def test_there_is_a_cosine_of_the_two_vectors_at_each_layer() -> None:
    torch.manual_seed(1)
    one, other = torch.randn(2, 5, 8)
    wanted = [float(a @ b / a.norm() / b.norm()) for a, b in zip(one, other, strict=True)]
    assert cosines(one, other) == pytest.approx(wanted, abs=1e-6)


def test_other_words_are_all_pairs_of_different_tokens_except_the_first() -> None:
    torch.manual_seed(1)
    one, other = torch.randn(2, 3, 8), torch.randn(2, 4, 8)
    ids, others = [9, 5, 6], [9, 6, 7, 5]
    for layer, found in enumerate(cosines_of_others(one, other, ids, others)):
        wanted = [
            float(torch.cosine_similarity(one[layer, i], other[layer, j], dim=0))
            for i in range(1, 3)
            for j in range(1, 4)
            if ids[i] != others[j]
        ]
        assert len(wanted) == 4
        assert found == pytest.approx(sum(wanted) / 4, abs=1e-6)
    assert cosines_of_others(one[:, :1], other, [9], others) == []
    assert cosines_of_others(one[:, :2], other[:, :2], [9, 5], [8, 5]) == []


@given(st.text("aé東 bank,.", min_size=1, max_size=20), st.data())
def test_the_last_token_of_a_word_contains_its_end(text: str, data: st.DataObject) -> None:
    tokenizer = small_model().tokenizer
    end = data.draw(st.integers(1, len(text)))
    at = last_token_of(tokenizer, text, end)
    pieces = [token.data for token in tokenizer.tokens(tokenizer.encode(text))]
    before, through = b"".join(pieces[:at]), b"".join(pieces[: at + 1])
    assert len(before) < len(text[:end].encode()) <= len(through)

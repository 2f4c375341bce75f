"""Test neighbors and analogies against cosines that are computed row by row."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cosine_similarity

from tests.labs.lab_backend import small_model
from tutor.errors import RequestCancelled
from tutor.lm.embeddings import neighbors
from tutor.lm.embeddings.neighbors import EmbeddingTable, nearest, rank_of, similarities
from tutor.lm.embeddings.words import forms
from tutor.lm.fast.linear import HalfLinear
from tutor.lm.fast.network import TableEmbedding
from tutor.lm.language_model import LanguageModel
from tutor.lm.network import Config, Transformer

CONFIG = Config(300, width=64, layers=1, heads=2, key_value_heads=1, head_size=32, hidden=32)


def every_row(table: EmbeddingTable) -> torch.Tensor:
    return torch.stack([table.row(id_) for id_ in range(table.rows)]).double()


@pytest.mark.parametrize("form", ["trained", "32 bits", "16 bits"])
def test_cosines_agree_with_the_rows_in_every_format_of_the_table(form: str) -> None:
    torch.manual_seed(1)
    network = Transformer(CONFIG)
    if form == "16 bits":
        network.embedding = TableEmbedding(  # type: ignore[assignment]
            HalfLinear(network.embedding.weight.detach().half())
        )
    elif form == "32 bits":
        network = small_model().network
    table = EmbeddingTable(network)
    rows = every_row(table)
    found = table.cosines(table.row(7)[None])[0]
    torch.testing.assert_close(
        found.double(), cosine_similarity(rows, rows[7][None]), atol=1e-5, rtol=0
    )


@pytest.mark.slow
def test_cosines_agree_with_the_rows_in_8_bits(language_model: LanguageModel) -> None:
    table = EmbeddingTable(language_model.network)
    ids = list(range(0, table.rows, 97))
    rows = table.rows_of(ids).double()
    found = table.cosines(table.row(2644)[None])[0][ids]
    wanted = cosine_similarity(rows, table.row(2644).double()[None])
    torch.testing.assert_close(found.double(), wanted, atol=1e-5, rtol=0)


def test_chance_is_the_mean_cosine_of_all_pairs_of_different_rows() -> None:
    torch.manual_seed(1)
    table = EmbeddingTable(Transformer(CONFIG))
    rows = every_row(table)
    pairs = cosine_similarity(rows[:, None], rows[None], dim=-1)
    wanted = (pairs.sum() - pairs.diagonal().sum()) / (len(rows) * (len(rows) - 1))
    assert table.chance == pytest.approx(float(wanted), abs=1e-6)


def test_a_row_of_zeros_has_cosine_zero() -> None:
    network = Transformer(CONFIG)
    with torch.no_grad():
        network.embedding.weight[5] = 0
    table = EmbeddingTable(network)
    assert float(table.cosines(table.row(7)[None])[0][5]) == 0
    assert table.cosines(table.row(5)[None]).isfinite().all()


def test_measuring_all_rows_can_be_stopped_and_restarted() -> None:
    network = Transformer(CONFIG)

    def stop() -> None:
        raise RequestCancelled("", "")

    with pytest.raises(RequestCancelled):
        EmbeddingTable(network, stop).lengths  # noqa: B018
    assert len(EmbeddingTable(network).lengths) == CONFIG.vocabulary_size
    assert network.embedding in neighbors._MEASURED


def test_ranks_with_and_without_some_rows() -> None:
    cosines = torch.tensor([0.9, 0.1, 0.8, -0.5, 0.7])
    assert [rank_of(id_, cosines) for id_ in range(5)] == [1, 4, 2, 5, 3]
    assert rank_of(4, cosines, leave_out=[0, 3]) == 2
    assert rank_of(4, cosines, leave_out=[0, 0, 2]) == 1
    assert [(one.rank, one.id) for one in nearest(cosines, 2)] == [(1, 0), (2, 2)]
    assert [(one.rank, one.id) for one in nearest(cosines, 3, [0])] == [(1, 2), (2, 4), (3, 1)]


def test_similarities_are_cosines_of_all_pairs() -> None:
    vectors = torch.randn(4, 9, generator=torch.Generator().manual_seed(1))
    wanted = cosine_similarity(vectors[:, None], vectors[None], dim=-1)
    torch.testing.assert_close(similarities(vectors), wanted)


def test_single_token_spellings_of_a_word_come_first() -> None:
    tokenizer = small_model().tokenizer
    texts = [[token.text for token in cut] for cut in forms(tokenizer, "family")]
    assert texts[0] == [" family"]
    assert all(len(cut) == 1 for cut in texts[: len(texts) - 1])
    long = forms(tokenizer, "Donaudampfschiff")
    assert all(len(cut) > 1 for cut in long)
    assert b"".join(token.data for token in long[0]) == b" Donaudampfschiff"
    assert len({cut[0].id for cut in long}) == len(long)
    assert forms(tokenizer, " ") == ()
    assert [token.text for token in forms(tokenizer, " family")[0]] == [" family"]

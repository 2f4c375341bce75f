"""Test that the merge player produces the same tokens as the `tokenizers` library."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import decoders, models

from tests.labs.lab_backend import backend, done, small_model
from tests.later import later
from tutor.errors import LabError
from tutor.labs.kit.actions import EditText, MoveFocus
from tutor.labs.merges import lab as merges
from tutor.labs.merges.lab import Jump
from tutor.labs.merges.merging import in_bytes, joined, next_rule, play
from tutor.lm.language_model import LanguageModel
from tutor.lm.tokenizer import Tokenizer

TEXTS = ["unbelievable", " the", "  12,345\n\tx = y", "e\u0301 🤷🏽‍♀️", "aaaaaaa", "שלום, world's"]


@pytest.mark.parametrize("text", [*TEXTS[:2], *later(TEXTS[2:])])
def test_it_ends_with_the_tokens_of_the_default_model(
    text: str, language_model: LanguageModel, tmp_path: Path
) -> None:
    state = done(
        "merges", backend("merges", tmp_path, language_model), EditText(text), Jump("tokens")
    )
    tokenizer = language_model.tokenizer
    ids = tokenizer.encode(text)
    assert [piece for chunk in state.chunks for piece in chunk] == [
        tokenizer.token(id_).data for id_ in ids
    ]
    assert list(state.ids) == ids


RULES = small_model().tokenizer.merge_rules()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_no_byte_is_lost_and_the_result_matches_the_library(text: str) -> None:
    tokenizer = small_model().tokenizer
    chunks = in_bytes(tokenizer.chunks(text))
    for _, chunks in play(chunks, RULES):  # noqa: B020 (from the bytes to the last state)
        assert b"".join(piece for chunk in chunks for piece in chunk) == text.encode()
    pieces = [piece for chunk in chunks for piece in chunk]
    assert pieces == [tokenizer.token(id_).data for id_ in tokenizer.encode(text)]


def test_merges_are_applied_in_the_order_of_their_rank() -> None:
    chunks = in_bytes(small_model().tokenizer.chunks("The weather of the northern islands"))
    ranks = [merge.rank for merge, _ in play(chunks, RULES)]
    assert len(ranks) > 10
    assert all(before < after for before, after in pairwise(ranks))


def test_a_merge_joins_from_the_left() -> None:
    assert joined((b"a", b"a", b"a"), (b"a", b"a")) == (b"aa", b"a")
    assert next_rule([(b"a",), (b"b",)], {(b"a", b"b"): 1}) is None  # Not across chunks.


def test_forward_and_back(tmp_path: Path) -> None:
    there = backend("merges", tmp_path)
    start = done("merges", there)
    assert [len(piece) for chunk in start.chunks for piece in chunk] == [1] * len("unbelievable")
    forth, back = MoveFocus(3, "merge"), MoveFocus(-3, "merge")
    assert done("merges", there, forth).at == 3
    assert done("merges", there, forth, back) == start
    assert done("merges", there, back).at == 0
    assert done("merges", there, MoveFocus(500, "merge")).ended


def test_a_long_text_is_cut_and_the_rest_is_counted() -> None:
    state = merges.act(merges.State(), EditText("x" * (merges.LONGEST + 7)))
    assert (len(state.text), state.left_out) == (merges.LONGEST, 7)


def test_a_tokenizer_that_does_not_merge_bytes_is_refused(tmp_path: Path) -> None:
    whole_characters = tokenizers.Tokenizer(
        models.BPE(vocab={"a": 0, "<unk>": 1}, merges=[], unk_token="<unk>")
    )
    whole_characters.decoder = decoders.Metaspace()
    model = replace(small_model(), tokenizer=Tokenizer(whole_characters))
    with pytest.raises(LabError):
        backend("merges", tmp_path, model)

"""Compare the rules for splitting text with llama.cpp's."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from tests.lm.make_splitting_reference import FILE, fields
from tutor.errors import ModelUnsupported
from tutor.lm.formats.splitting import known_rules, splits
from tutor.lm.tokenizer import Tokenizer

# llama.cpp finds no end of a number before ".", where the original tokenizer does.
DIFFERENT = {
    "tiny_aya": "    1  22   333 4444.5555",
    "cohere2moe": "    1  22   333 4444.5555",
}


@cache
def reference() -> Any:
    return json.loads(FILE.read_text(encoding="utf-8"))


@cache
def tokenizer(name: str) -> Tokenizer:
    merges = reference()["merges"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merged = [merge.replace(" ", "") for merge in merges]
    tokens = list(dict.fromkeys(["<s>", *alphabet, *merged]))
    return Tokenizer.from_gguf(fields(name, tokens, merges))


def test_all_rules_were_compared() -> None:
    names = [name for each in reference()["rules"] for name in each["names"]]
    assert sorted(names) == sorted(known_rules())


@pytest.mark.parametrize("name", known_rules())
def test_ids_agree_with_llama_cpp(name: str) -> None:
    wanted = next(each["ids"] for each in reference()["rules"] if name in each["names"])
    compared = 0
    for text, ids in zip(reference()["texts"], wanted, strict=True):
        if text != DIFFERENT.get(name):
            assert tokenizer(name).encode(text) == ids, text
            compared += 1
    assert compared >= 58


@pytest.mark.parametrize("name", known_rules())
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_no_byte_of_a_text_is_lost(name: str, text: str) -> None:
    assert tokenizer(name).decode(tokenizer(name).encode(text)) == text.encode()


def test_an_unknown_name_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ModelUnsupported, match="unheard-of") as caught:
        splits("unheard-of")
    assert all(name in caught.value.next_step for name in known_rules())

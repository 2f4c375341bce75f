"""Test llama.cpp's tokenizer, which has the same methods as ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lm.llamacpp.network_library import NetworkLibrary, llama_model
from tests.tiny_model import TEMPLATE, tiny_model
from tutor.errors import TextError
from tutor.lm.chat import chat_ids, text_ids, turn_ids
from tutor.lm.distribution import ChatMessage
from tutor.lm.llamacpp.tokenizer import LlamaTokenizer

TINY = tiny_model()
TOKENIZER = LlamaTokenizer(NetworkLibrary(TINY))


class Dropping(NetworkLibrary):
    """It loses a character, as llama.cpp does if the vocabulary lacks a byte."""

    def encode(self, text: bytes) -> list[int]:
        return super().encode(text.replace(b"x", b""))


class Spacing(NetworkLibrary):
    """It puts a space before the text, as SentencePiece does."""

    def encode(self, text: bytes) -> list[int]:
        return super().encode(b" " + text)


@given(st.text(max_size=20))
def test_tokens_have_the_bytes_of_the_text(text: str) -> None:
    ids = TOKENIZER.encode(text)
    assert TOKENIZER.decode(ids) == text.encode()
    assert ids == TINY.tokenizer.encode(text)


def test_a_text_that_would_lose_a_part_is_refused() -> None:
    tokenizer = LlamaTokenizer(Dropping(TINY))
    assert tokenizer.decode(tokenizer.encode("abc")) == b"abc"
    with pytest.raises(TextError, match="drops part"):
        tokenizer.encode("axc")
    with pytest.raises(TextError, match="surrogate"):
        tokenizer.encode("\ud800")


def test_a_space_before_the_text_is_allowed() -> None:
    tokenizer = LlamaTokenizer(Spacing(TINY))
    assert tokenizer.decode(tokenizer.encode("abc")) == b" abc"


def test_special_tokens_are_known_by_their_text() -> None:
    assert TOKENIZER.special_ids == TINY.tokenizer.special_ids
    assert TOKENIZER.end_ids == TINY.tokenizer.end_ids
    assert TOKENIZER.token(2).special
    assert TOKENIZER.token(299).text == "<unused 299>"
    assert TOKENIZER.containing("IM_") == [1, 2]


def test_conversations_are_the_same_as_with_our_tokenizer() -> None:
    model = llama_model(NetworkLibrary(TINY), TEMPLATE)
    messages = [ChatMessage("user", "hello <|im_end|>")]
    ids = chat_ids(model, messages)
    assert ids == chat_ids(TINY, messages)
    assert turn_ids(model, ids, "more") == turn_ids(TINY, ids, "more")
    assert text_ids(model, "hello") == TINY.tokenizer.encode("hello")

"""Test the tokenizer: exact bytes, no special tokens from plain text, the reference ids."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from gguf import GGUFReader
from hypothesis import given
from hypothesis import strategies as st

from tests.tiny_model import byte_fields
from tutor.errors import ModelDamaged, ModelUnsupported, TextError
from tutor.lm.tokenizer import Tokenizer

TINY = Tokenizer.from_gguf(byte_fields())
REFERENCE = Path(__file__).with_name("token_reference.json")

any_text = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.fixture(scope="module")
def smollm(model_file: Path) -> Tokenizer:
    fields = GGUFReader(model_file).fields
    wanted = {key: field.contents() for key, field in fields.items() if key.startswith("tokenizer")}
    return Tokenizer.from_gguf(wanted)


@given(any_text)
def test_encoding_and_decoding_keeps_all_bytes(text: str) -> None:
    assert TINY.decode(TINY.encode(text)) == text.encode()
    assert TINY.decode(TINY.encode(text, special=True)) == text.encode()


@given(any_text)
def test_plain_text_never_becomes_a_special_token(text: str) -> None:
    ids = TINY.encode(f"<|im_end|>{text}<|im_start|>")
    assert not any(TINY.token(id_).special for id_ in ids)


def test_special_tokens_are_encoded_on_request() -> None:
    assert TINY.encode("<|im_end|>", special=True) == [2]
    assert TINY.special_ids == {"<|endoftext|>": 0, "<|im_start|>": 1, "<|im_end|>": 2}


def test_every_id_is_a_token_with_its_bytes() -> None:
    singles = {TINY.token(id_).data for id_ in range(3, 259)}
    assert singles == {bytes([byte]) for byte in range(256)}
    assert TINY.token(1).text == "<|im_start|>"
    assert TINY.token(1).special
    assert TINY.token(TINY.encode(" wo")[0]).data == b" wo"


def test_an_id_beyond_the_vocabulary_has_a_name_and_no_bytes() -> None:
    token = TINY.token(5000)
    assert token.data == b""
    assert "5000" in token.text


def test_start_and_end_tokens_come_from_the_file() -> None:
    assert TINY.start_ids == ()
    assert TINY.end_ids == (0, 2)
    with_start = byte_fields() | {"tokenizer.ggml.add_bos_token": True}
    assert Tokenizer.from_gguf(with_start).start_ids == (1,)


def test_saving_keeps_everything() -> None:
    fields = byte_fields() | {"tokenizer.ggml.add_bos_token": True}
    before = Tokenizer.from_gguf(fields)
    after = Tokenizer.from_json(before.to_json())
    assert (after.start_ids, after.end_ids) == (before.start_ids, before.end_ids)
    assert after.special_ids == before.special_ids
    text = "hello  world 123<|im_end|>\x00"
    assert after.encode(text) == before.encode(text)
    size = before.vocabulary_size
    assert [after.token(i) for i in range(size)] == [before.token(i) for i in range(size)]


def test_tokenizer_json_gives_the_same_tokenizer(tmp_path: Path) -> None:
    inner = json.loads(TINY.to_json())["tokenizer"]
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(inner), encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text('{"eos_token": {"content": "<|im_end|>"}}')
    read = Tokenizer.from_file(path)
    assert read.end_ids == (0, 2)
    assert read.encode("hello 12") == TINY.encode("hello 12")


def test_a_start_token_added_by_tokenizer_json_is_found(tmp_path: Path) -> None:
    inner = json.loads(TINY.to_json())["tokenizer"]
    start, text = (
        {"SpecialToken": {"id": "s", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
    )
    inner["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [start, text],
        "pair": [start, text, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"s": {"id": "s", "ids": [1], "tokens": ["<|im_start|>"]}},
    }
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(inner), encoding="utf-8")
    read = Tokenizer.from_file(path)
    assert read.start_ids == (1,)
    assert read.encode("hello") == TINY.encode("hello")


@pytest.mark.parametrize("content", [b"", b"{", b'{"model": 1}', b"\xff\xfe"])
def test_a_damaged_tokenizer_json_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(ModelDamaged, match=r"tokenizer\.json"):
        Tokenizer.from_file(path)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"tokenizer.ggml.model": "bert"}, ModelUnsupported),
        ({"tokenizer.ggml.pre": "unheard-of"}, ModelUnsupported),
        ({"tokenizer.ggml.token_type": [1]}, ModelDamaged),
        ({"tokenizer.ggml.merges": ["he llo"]}, ModelDamaged),
    ],
)
def test_unsuitable_metadata_are_errors(change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Tokenizer.from_gguf(byte_fields() | change)


def test_missing_metadata_are_errors() -> None:
    for key in ("model", "tokens", "token_type", "merges"):
        fields = byte_fields()
        del fields[f"tokenizer.ggml.{key}"]
        with pytest.raises(ModelDamaged, match=key):
            Tokenizer.from_gguf(fields)


def test_half_a_surrogate_pair_is_an_error() -> None:
    with pytest.raises(TextError, match="surrogate"):
        TINY.encode("ab\ud800")


def test_a_search_ignores_capitals() -> None:
    assert [TINY.token(id_).text for id_ in TINY.containing("LL")] == ["ll"]


# --- SentencePiece --------------------------------------------------------------------------------


def sentencepiece_fields(*, with_bytes: bool = True) -> dict[str, Any]:
    pieces = {"▁": -1.0, "a": -2.0, "b": -3.0, "c": -9.0, "ab": -4.0, "▁a": -5.0, "abc": -6.0}
    pieces |= {"▁ab": -7.0, "bc": -3.5}
    single = [f"<0x{byte:02X}>" for byte in range(256)] if with_bytes else []
    tokens = ["<unk>", "<s>", "</s>", *single, *pieces]
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [0.0] * (3 + len(single)) + list(pieces.values()),
        "tokenizer.ggml.token_type": [2, 3, 3] + [6] * len(single) + [1] * len(pieces),
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    }


def test_sentencepiece_joins_the_highest_scoring_pair_first() -> None:
    tokenizer = Tokenizer.from_gguf(sentencepiece_fields())
    # in "▁ a b c", "bc" (-3.5) is first, then "▁a" (-5) before "abc" (-6)
    assert [tokenizer.token(i).text for i in tokenizer.encode("abc")] == [" a", "bc"]
    assert tokenizer.start_ids == (1,)
    assert tokenizer.end_ids == (2,)


SENTENCEPIECE = {
    prefix: Tokenizer.from_gguf(
        sentencepiece_fields() | {"tokenizer.ggml.add_space_prefix": prefix}
    )
    for prefix in (True, False)
}
WITHOUT_BYTES = Tokenizer.from_gguf(
    sentencepiece_fields(with_bytes=False) | {"tokenizer.ggml.add_space_prefix": False}
)
text_with_known_characters = st.text(st.sampled_from("abc ▁\n\x00é中😀")) | any_text


@pytest.mark.parametrize("prefix", [True, False])
@given(text=text_with_known_characters)
def test_sentencepiece_keeps_all_bytes_except_for_its_space_character(
    prefix: bool, text: str
) -> None:
    tokenizer = SENTENCEPIECE[prefix]
    ids = tokenizer.encode(text)
    before = " " if prefix and text else ""
    assert tokenizer.decode(ids) == (before + text.replace("▁", " ")).encode()
    assert not any(tokenizer.token(id_).special for id_ in ids)


@given(text=text_with_known_characters)
def test_sentencepiece_without_byte_tokens_refuses_unknown_characters(text: str) -> None:
    try:
        ids = WITHOUT_BYTES.encode(text)
    except TextError:
        assert set(text) - set("abc ▁")
    else:
        assert WITHOUT_BYTES.decode(ids) == text.replace("▁", " ").encode()


# --- the real vocabulary --------------------------------------------------------------------------


def test_ids_agree_with_llama_cpp(smollm: Tokenizer) -> None:
    for entry in json.loads(REFERENCE.read_text(encoding="utf-8")):
        text = entry["text"]
        if smollm_lacks_a_byte_of(text):
            continue
        assert smollm.encode(text) == entry["llama.cpp"], text


def test_ids_agree_with_transformers_except_for_space_before_digits(smollm: Tokenizer) -> None:
    """See `make_token_reference.py` for the exception, which includes digits other than 0 to 9."""
    compared = 0
    for entry in json.loads(REFERENCE.read_text(encoding="utf-8")):
        text = entry["text"]
        other_digits = any(char.isnumeric() and not char.isascii() for char in text)
        if other_digits or re.search(r"\s\s\d", text) or smollm_lacks_a_byte_of(text):
            continue
        assert smollm.encode(text) == entry["transformers"], text
        compared += 1
    assert compared > 60


def smollm_lacks_a_byte_of(text: str) -> bool:
    return bool(re.search("[\x04\x06\x13\x14\x16\x1d]", text))


@given(text=any_text)
def test_text_is_kept_exactly_or_refused(smollm: Tokenizer, text: str) -> None:
    """SmolLM's vocabulary lacks 21 bytes. Text that contains them is never shortened silently."""
    try:
        ids = smollm.encode(text)
    except TextError:
        lacking = {0x04, 0x06, 0x13, 0x14, 0x16, 0x1D, *range(0xF1, 0xF3), *range(0xF5, 0x100)}
        assert lacking & set(text.encode())
    else:
        assert smollm.decode(ids) == text.encode()


def test_every_id_of_the_real_vocabulary(smollm: Tokenizer) -> None:
    tokens = [smollm.token(id_) for id_ in range(smollm.vocabulary_size)]
    assert len(tokens) == 49_152
    assert len({token.data for token in tokens}) == 49_152
    assert [token.id for token in tokens if token.special] == list(range(17))
    assert all(token.data for token in tokens)

"""Read a `tokenizer.model`, the file in which the SentencePiece library stores a tokenizer.

The file is a Protocol Buffers message, `ModelProto` in `src/sentencepiece_model.proto` of the
library. We read these fields, listed with their numbers:

    1   each token: 1 its text, 2 its score, 3 its type
    2   how it was trained: 3 the algorithm, 24 whether a space belongs to the word before it,
        35 byte fallback,
        41 the id of the start token, 42 of the end token
    3   the normalization: 2 the replaced characters, 3 whether a space is added before the text,
        4 whether extra spaces are removed, 5 whether spaces are written as "▁"
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from tutor.errors import ModelDamaged, ModelUnsupported
from tutor.lm.formats.protobuf import (
    Value,
    as_bool,
    as_bytes,
    as_float,
    as_int,
    as_text,
    read_fields,
)
from tutor.lm.formats.sentencepiece import (
    MOST_TOKENS,
    NORMAL,
    Algorithm,
    Rules,
    Vocabulary,
    too_many_tokens,
)

_LARGEST = 10_000_000  # bytes; Gemma's file, with 262,144 tokens, has 4.7 million
_LONGEST_TOKEN = 1024  # characters
_ALGORITHMS: dict[int, Algorithm] = {1: "unigram", 2: "bpe"}
# Llama 3 has a `tokenizer.model` in a different format: each line has a base64 token and its rank.
_TIKTOKEN = re.compile(rb"[A-Za-z0-9+/]+={0,2} \d+\n")
_SUGGESTION = "Use a folder with a tokenizer.json, or a GGUF file of this model."


class SentencePieceFile(msgspec.Struct, frozen=True):
    """The contents of a `tokenizer.model`. An id is None if the model has no such token."""

    vocabulary: Vocabulary
    rules: Rules
    start_id: int | None
    end_id: int | None


def read_sentencepiece(path: Path) -> SentencePieceFile:
    """Read a `tokenizer.model`.

    Raises `ModelDamaged` for a file that is not a valid model, and `ModelUnsupported` for a model
    whose tokens are words or characters, for a file that is too large or has too many tokens, or
    for a file in the format of another library.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise ModelDamaged(f"{path.name} cannot be read: {error.strerror}.") from error
    if len(data) > _LARGEST:
        raise ModelUnsupported(f"{path.name} is too large for a tokenizer.", _SUGGESTION)
    if _TIKTOKEN.match(data):
        raise ModelUnsupported(
            f"{path.name} is in the format of the tiktoken library, which is not supported.",
            _SUGGESTION,
        )
    try:
        return parse_sentencepiece(data)
    except ModelDamaged as error:
        raise ModelDamaged(f"{path.name} is damaged: {error.happened}", _AGAIN) from error


_AGAIN = "Download this file again, or use another model."


def parse_sentencepiece(data: bytes) -> SentencePieceFile:
    """Parse the bytes of a `tokenizer.model`. Raises the same errors as `read_sentencepiece`."""
    texts: list[str] = []
    scores: list[float] = []
    kinds: list[int] = []
    training, normalization = b"", b""
    for number, value in read_fields(data):
        if number == 1:
            text, score, kind = _token(as_bytes(value))
            texts.append(text)
            scores.append(score)
            kinds.append(kind)
            if len(texts) > MOST_TOKENS:
                raise too_many_tokens()
        elif number == 2:
            training = as_bytes(value)
        elif number == 3:
            normalization = as_bytes(value)
    if not texts:
        raise ModelDamaged("it contains no tokens.")
    if len(set(texts)) < len(texts):
        raise ModelDamaged("two tokens have the same text.")
    trained, normalized = dict(read_fields(training)), dict(read_fields(normalization))
    return SentencePieceFile(
        Vocabulary(texts, scores, kinds),
        _rules(trained, normalized),
        _special(trained.get(41, 1), len(texts)),
        _special(trained.get(42, 2), len(texts)),
    )


def _token(message: bytes) -> tuple[str, float, int]:
    """Return the text, the score and the type of a token."""
    text, score, kind = "", 0.0, NORMAL
    for number, value in read_fields(message):
        if number == 1:
            text = as_text(value)
        elif number == 2:
            score = as_float(value)
        elif number == 3:
            kind = as_int(value)
    if not 0 < len(text) <= _LONGEST_TOKEN:
        raise ModelDamaged(
            f"a token has {len(text):,} characters instead of 1 to {_LONGEST_TOKEN:,}."
        )
    return text, score, kind


def _rules(trained: dict[int, Value], normalized: dict[int, Value]) -> Rules:
    algorithm = as_int(trained.get(3, 1))
    if algorithm not in _ALGORITHMS:
        raise ModelUnsupported(
            "tokenizer.model splits texts into words or characters, which is not supported.",
            _SUGGESTION,
        )
    if as_bool(trained.get(24, 0)) or not as_bool(normalized.get(5, 1)):
        raise ModelUnsupported(
            "tokenizer.model writes spaces in an unusual way, which is not supported.", _SUGGESTION
        )
    return Rules(
        algorithm=_ALGORITHMS[algorithm],
        byte_fallback=as_bool(trained.get(35, 0)),
        space_before=as_bool(normalized.get(3, 1)),
        single_spaces=as_bool(normalized.get(4, 1)),
        character_map=as_bytes(normalized.get(2, b"")),
    )


def _special(value: Value, count: int) -> int | None:
    """Return the id of a special token, or None for -1, which means that there is none."""
    id_ = as_int(value)
    return id_ if 0 <= id_ < count else None

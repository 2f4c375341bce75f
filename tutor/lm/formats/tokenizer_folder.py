"""Build a tokenizer from a folder that has a `tokenizer.model`, but no `tokenizer.json`.

`tokenizer.model` contains the vocabulary, in the format of the SentencePiece library. Two other
files, both written by the `transformers` library, can add tokens to the vocabulary or change the
text of a token: `added_tokens.json` and `tokenizer_config.json`. The second file also names the
start token and the end token.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from tokenizers import AddedToken, Tokenizer

from tutor.errors import ModelDamaged, ModelUnsupported
from tutor.lm.formats.json_file import read_json, read_text
from tutor.lm.formats.library import library_failures
from tutor.lm.formats.sentencepiece import (
    CONTROL,
    SPACE,
    UNUSED,
    USER_DEFINED,
    Vocabulary,
    added_tokens,
    sentencepiece,
)
from tutor.lm.formats.sentencepiece_file import SentencePieceFile, read_sentencepiece

_MOST_UNUSED = 10_000  # the maximum number of ids without a token below the highest added id
_LONGEST_TOKEN = 1024  # characters


class FolderTokenizer(NamedTuple):
    """A tokenizer, the ids that begin every text, and the ids that end the model's answer."""

    backend: Tokenizer
    start_ids: list[int]
    end_ids: list[int]


class _Token(msgspec.Struct, frozen=True):
    """An added token in `tokenizer_config.json`."""

    content: str
    lstrip: bool = False
    rstrip: bool = False
    single_word: bool = False
    special: bool = False


class _Settings(msgspec.Struct, frozen=True):
    """The fields of `tokenizer_config.json` that we need."""

    add_bos_token: bool | None = None
    bos_token: str | _Token | None = None
    eos_token: str | _Token | None = None
    tokenizer_class: str | None = None
    added_tokens_decoder: dict[str, _Token] = {}


def read_folder_tokenizer(path: Path) -> FolderTokenizer:
    """Build the tokenizer from a `tokenizer.model` and the files next to it.

    Raises `ModelDamaged` for an invalid file, and `ModelUnsupported` for a kind of tokenizer that
    is not supported.
    """
    read = read_sentencepiece(path)
    settings = _settings(path.with_name("tokenizer_config.json"))
    added = _added(path.with_name("added_tokens.json"), settings)
    vocabulary = _with_added(_raw(read.vocabulary), added)
    backend = sentencepiece(vocabulary, read.rules)
    marks = [_mark(mark, added) for mark in added_tokens(vocabulary)]
    with library_failures("the added tokens make no sense"):
        backend.add_tokens(marks)
    return FolderTokenizer(
        backend, _start_ids(backend, settings, read), _end_ids(backend, settings, read)
    )


def _settings(path: Path) -> _Settings:
    if not path.exists():
        return _Settings()
    try:
        return msgspec.json.decode(read_text(path), type=_Settings)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ModelDamaged(f"{path.name} is damaged: {error}.") from error


def _raw(vocabulary: Vocabulary) -> Vocabulary:
    """Return the vocabulary with spaces instead of "▁" in user-defined tokens."""
    texts = [
        text.replace(SPACE, " ") if kind == USER_DEFINED else text
        for text, kind in zip(vocabulary.texts, vocabulary.kinds, strict=True)
    ]
    return Vocabulary(texts, vocabulary.scores, vocabulary.kinds)


def _added(path: Path, settings: _Settings) -> dict[int, _Token]:
    """Return a mapping from ids to added tokens.

    If both files contain the same id, `tokenizer_config.json` takes precedence.
    """
    found: dict[int, _Token] = {}
    names: Any = read_json(path) if path.exists() else {}
    if not isinstance(names, dict):
        raise ModelDamaged(f"{path.name} is damaged: it is not an object.")
    for text, id_ in names.items():
        found[_id(id_, path.name)] = _Token(content=text, special=True)
    for number, token in settings.added_tokens_decoder.items():
        found[_id(number, "tokenizer_config.json")] = token
    for token in found.values():
        if not 0 < len(token.content) <= _LONGEST_TOKEN:
            raise ModelDamaged(
                f"an added token has {len(token.content):,} characters "
                f"instead of 1 to {_LONGEST_TOKEN:,}."
            )
    return found


def _id(value: object, where: str) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if type(value) is not int or value < 0:
        raise ModelDamaged(f"{where} is damaged: the id of an added token is not a number.")
    return value


def _with_added(vocabulary: Vocabulary, added: dict[int, _Token]) -> Vocabulary:
    """Return the vocabulary with the added tokens. Missing ids become tokens of the type UNUSED."""
    texts, kinds = list(vocabulary.texts), list(vocabulary.kinds)
    count = max((len(texts), *(id_ + 1 for id_ in added)))
    if count - len(texts) > len(added) + _MOST_UNUSED:
        raise ModelDamaged(f"an added token has the id {count - 1:,}, which is too high.")
    for id_ in range(len(texts), count):
        texts.append(f"<unused {id_}>")
        kinds.append(UNUSED)
    for id_, token in added.items():
        if texts[id_] != token.content:
            texts[id_], kinds[id_] = token.content, USER_DEFINED
        if token.special and kinds[id_] == USER_DEFINED:
            kinds[id_] = CONTROL
    if len(set(texts)) < len(texts):
        raise ModelUnsupported(
            "an added token has the same text as another token.",
            "Use a folder with a tokenizer.json, or a GGUF file of this model.",
        )
    scores = [*vocabulary.scores, *[0.0] * (count - len(vocabulary.scores))]
    return Vocabulary(texts, scores, kinds)


def _mark(mark: AddedToken, added: dict[int, _Token]) -> AddedToken:
    """Return the token `mark`, with the settings that the files give for spaces next to it."""
    for token in added.values():
        if token.content == mark.content:
            return AddedToken(
                mark.content,
                special=mark.special,
                normalized=False,
                lstrip=token.lstrip,
                rstrip=token.rstrip,
                single_word=token.single_word,
            )
    return mark


def _start_ids(backend: Tokenizer, settings: _Settings, read: SentencePieceFile) -> list[int]:
    """Return a list with the start token's id, or an empty list if texts don't begin with it."""
    usual = settings.tokenizer_class is None or not settings.tokenizer_class.startswith("T5")
    wanted = usual if settings.add_bos_token is None else settings.add_bos_token
    return _named(backend, settings.bos_token, read.start_id) if wanted else []


def _end_ids(backend: Tokenizer, settings: _Settings, read: SentencePieceFile) -> list[int]:
    return _named(backend, settings.eos_token, read.end_id)


def _named(backend: Tokenizer, mark: str | _Token | None, otherwise: int | None) -> list[int]:
    """Return a list with the id of the token `mark`, or with `otherwise` if `mark` is None.

    The list is empty if there is no such token.
    """
    name = mark.content if isinstance(mark, _Token) else mark
    id_ = otherwise if name is None else backend.token_to_id(name)
    return [] if id_ is None else [id_]

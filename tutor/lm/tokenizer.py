"""Convert text to token ids and back, with every token's exact bytes.

The algorithm is byte pair encoding (Sennrich et al. 2016), or in a few models a unigram model (Kudo
2018), as implemented in the `tokenizers` library. This module configures the library with the
tokenizer data in a model file. There are two families of tokenizers:

- byte-level (GPT-2, Llama 3, SmolLM): a text is encoded as UTF-8, and the vocabulary writes each
  byte as one printable character, so a token can be any sequence of bytes;
- SentencePiece (Llama 1 and 2, Mistral, Gemma): a space is written as "▁", and a character that the
  vocabulary lacks falls back to one token for each of its bytes.

The bytes of a text's tokens, in order, are exactly the bytes of the text. SentencePiece makes three
exceptions, because its models were trained that way: a "▁" in the text becomes a space, some models
add a space before the text, and a model file may specify other normalizations. In both
families, text that the vocabulary cannot represent is an error.

Special tokens such as `<|im_end|>` control a model. In a user's text, they are ordinary text:
`encode` produces special tokens only on request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import compress, count
from pathlib import Path
from typing import Any

import msgspec
from tokenizers import Tokenizer as Backend
from tokenizers import models

from tutor.errors import LabError, ModelDamaged, ModelUnsupported, TextError
from tutor.lm.distribution import Token
from tutor.lm.formats import tokenizer_gguf
from tutor.lm.formats.json_file import read_json, read_text
from tutor.lm.formats.library import library_failures
from tutor.lm.formats.sentencepiece import SPACE
from tutor.lm.formats.tokenizer_folder import read_folder_tokenizer

# The special tokens that end a model's answer, even if the model file does not list them.
END_MARKS = ("<|endoftext|>", "<|im_end|>", "<|end_of_text|>", "<|eot_id|>", "</s>")

# The library visits each unused id when it saves a tokenizer, so it would be busy for hours if a
# damaged file contained a huge id.
_MOST_UNUSED = 1_000_000

_BETWEEN = "\ud800"  # half of a surrogate pair, which decoded text never contains


class _Saved(msgspec.Struct, frozen=True):
    """The JSON document that `to_json` writes.

    It contains the tokenizer in the format of the `tokenizers` library, and the special ids that
    this format does not store.
    """

    tokenizer: msgspec.Raw
    start_ids: tuple[int, ...]
    end_ids: tuple[int, ...]


class Tokenizer:
    """A byte-level or SentencePiece tokenizer.

    `start_ids` are added at the start of every text (a "beginning of sequence" token, or none). A
    token from `end_ids` means that the model has finished its answer.
    """

    def __init__(
        self, backend: Backend, *, start_ids: Iterable[int] = (), end_ids: Iterable[int] = ()
    ) -> None:
        self._backend = backend
        self._byte_level = _is_byte_level(backend)
        self._added = backend.get_added_tokens_decoder()
        self._unknown = None if self._byte_level else _unknown_id(backend)
        self.start_ids = tuple(start_ids)
        marks = [id_ for id_, mark in self._added.items() if mark.content in END_MARKS]
        self.end_ids = tuple(sorted({*end_ids, *marks}))

    @classmethod
    def from_gguf(cls, fields: Mapping[str, Any]) -> Tokenizer:
        """Build the tokenizer from the metadata of a GGUF file.

        `fields` maps keys, such as `tokenizer.ggml.tokens`, to plain values.
        """
        return cls(
            tokenizer_gguf.backend(fields),
            start_ids=tokenizer_gguf.start_ids(fields),
            end_ids=tokenizer_gguf.end_ids(fields),
        )

    @classmethod
    def from_file(cls, path: Path) -> Tokenizer:
        """Load the tokenizer from a Hugging Face `tokenizer.json`.

        The end-of-sequence token is read from the `tokenizer_config.json` in the same folder.
        Raises `ModelDamaged` for an invalid file, and `ModelUnsupported` for an unknown kind of
        tokenizer.
        """
        text = read_text(path)
        with library_failures(f"{path.name} is not a tokenizer"):
            backend = Backend.from_str(text)
            backend.no_truncation()  # tokenizer.json may enable truncation and padding
            backend.no_padding()
            processed = backend.encode("a").ids
            plain = backend.encode("a", add_special_tokens=False).ids
            highest = max(backend.get_vocab().values(), default=-1)
            if highest > backend.get_vocab_size() + _MOST_UNUSED:
                raise ModelDamaged(
                    f"{path.name} is damaged: a token has the id {highest:,}, which is too high."
                )
            known = plain and plain[0] in processed
            start = processed[: processed.index(plain[0])] if known else []
            return cls(backend, start_ids=start, end_ids=_end_ids_beside(path, backend))

    @classmethod
    def from_sentencepiece(cls, path: Path) -> Tokenizer:
        """Load the tokenizer from a `tokenizer.model` and the files next to it.

        Raises `ModelDamaged` for an invalid file, and `ModelUnsupported` for an unknown kind of
        tokenizer.
        """
        backend, start_ids, end_ids = read_folder_tokenizer(path)
        return cls(backend, start_ids=start_ids, end_ids=end_ids)

    @classmethod
    def from_json(cls, text: str | bytes) -> Tokenizer:
        """Load a tokenizer from the JSON that `to_json` returned.

        Raises `ModelDamaged` if the JSON is invalid.
        """
        try:
            saved = msgspec.json.decode(text, type=_Saved)
            with library_failures("A saved tokenizer cannot be read"):
                backend = Backend.from_str(bytes(saved.tokenizer).decode("utf-8"))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ModelDamaged(f"A saved tokenizer cannot be read: {error}.") from error
        return cls(backend, start_ids=saved.start_ids, end_ids=saved.end_ids)

    def to_json(self) -> bytes:
        """Return the tokenizer as JSON, which loads much faster than a GGUF file's metadata."""
        raw = msgspec.Raw(self._backend.to_str().encode("utf-8"))
        return msgspec.json.encode(_Saved(raw, self.start_ids, self.end_ids))

    @property
    def vocabulary_size(self) -> int:
        """Return the number of tokens in the vocabulary."""
        return self._backend.get_vocab_size()

    @property
    def highest_id(self) -> int:
        """Return the highest token id, or -1 for an empty vocabulary."""
        return max(self._backend.get_vocab().values(), default=-1)

    @property
    def special_ids(self) -> dict[str, int]:
        """Return a mapping from the texts of the special tokens to their ids."""
        return {mark.content: id_ for id_, mark in self._added.items() if mark.special}

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """Encode `text` as token ids, without `start_ids`.

        With `special`, text such as `<|im_end|>` becomes a special token. Raises `TextError` if the
        vocabulary has no token for part of the text; no part is dropped silently.
        """
        try:
            data = text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise TextError(
                f"Character {error.start + 1} of the text is half of a surrogate pair, which is "
                "not valid Unicode.",
                "Remove this character and try again.",
            ) from error
        if missing := data.translate(None, self._bytes_with_token):
            raise TextError(
                f"The model's vocabulary has no token for the byte 0x{missing[0]:02x} in the text.",
                "Remove control characters and very rare characters from the text.",
            )
        self._backend.encode_special_tokens = not special
        with library_failures("The tokenizer cannot encode this text"):
            ids: list[int] = self._backend.encode(text, add_special_tokens=False).ids
        if self._unknown is not None and self._unknown in ids:
            raise TextError(
                "The model's vocabulary has no token for a character in the text.",
                "Remove rare characters from the text.",
            )
        return ids

    def decode(self, ids: Iterable[int]) -> bytes:
        """Return the exact bytes of all tokens in `ids`, concatenated, including special tokens."""
        return b"".join(self.token(id_).data for id_ in ids)

    def token(self, id_: int) -> Token:
        """Return the token with the id `id_`.

        Networks often have more ids than the vocabulary uses, because the number of ids is rounded
        up. For an unused id, this returns a token with a name but without bytes.
        """
        added = self._added.get(id_)
        if added is not None:
            data = added.content.encode("utf-8")
            return Token(id_, added.content, data, added.special)
        written = self._backend.id_to_token(id_)
        if written is None:
            return Token(id_, f"<unused {id_}>", b"", special=True)
        data = self._bytes_of(written)
        return Token(id_, data.decode("utf-8", errors="replace"), data)

    def tokens(self, ids: Iterable[int]) -> tuple[Token, ...]:
        """Return the tokens with the ids in `ids`."""
        return tuple(self.token(id_) for id_ in ids)

    def containing(self, query: str) -> list[int]:
        """Return the sorted ids of all tokens whose text contains `query`, ignoring case."""
        wanted = query.casefold()
        folded = self._joined_texts.casefold().split(_BETWEEN)
        return [id_ for id_, text in enumerate(folded) if wanted in text]

    def chunks(self, text: str) -> list[bytes]:
        """Split a text into the chunks within which pairs are merged.

        No token crosses the boundary between two chunks.
        """
        splitter = self._backend.pre_tokenizer
        with library_failures("The tokenizer cannot split this text"):
            parts = splitter.pre_tokenize_str(text) if splitter is not None else [(text, (0, 0))]
        return [self._bytes_of(written) for written, _ in parts]

    def merge_rules(self) -> dict[tuple[bytes, bytes], int]:
        """Return the merge rules: a mapping from pairs of byte strings to ranks, counted from 1.

        Raises `LabError` if the tokenizer is not byte-level.
        """
        if not self._byte_level:
            raise LabError(
                "This model's tokenizer merges characters, not bytes.",
                "Use a model with a byte-level tokenizer, such as the default model.",
            )
        merges = json.loads(self._backend.to_str())["model"]["merges"]
        pairs = (pair.split(" ") if isinstance(pair, str) else pair for pair in merges)
        return {
            (self._bytes_of(left), self._bytes_of(right)): rank
            for rank, (left, right) in enumerate(pairs, start=1)
        }

    def texts(self) -> list[str]:
        """Return the texts of all tokens in the order of their ids. Don't store this large list."""
        return self._joined_texts.split(_BETWEEN)

    @cached_property
    def _joined_texts(self) -> str:
        """Return the texts of all tokens in one long string.

        A list of separate strings would take far more memory.
        """
        return _BETWEEN.join(self.token(id_).text for id_ in range(self.vocabulary_size))

    def _bytes_of(self, written: str) -> bytes:
        if self._byte_level:
            return b"".join(
                _BYTE_OF[char] if char in _BYTE_OF else char.encode("utf-8") for char in written
            )
        if byte := re.fullmatch(r"<0x([0-9A-Fa-f]{2})>", written):
            return bytes([int(byte[1], 16)])
        return written.replace(SPACE, " ").encode("utf-8")

    @cached_property
    def _bytes_with_token(self) -> bytes:
        """Return the bytes for which the vocabulary contains a one-byte token.

        SmolLM's vocabulary, for example, lacks 21 of the 256 bytes, including some control
        characters.
        """
        if not self._byte_level:
            return bytes(range(256))
        found = (self._backend.token_to_id(char) is not None for char in _BYTE_OF)
        return b"".join(compress(_BYTE_OF.values(), found))


def byte_characters() -> dict[str, bytes]:
    """Return a mapping from the characters of a byte-level vocabulary to bytes.

    A printable byte stands for itself; any other byte is written as the next unused character from
    U+0100 (GPT-2, `bytes_to_unicode`).
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    substitutes = count(0x100)
    return {
        chr(byte if byte in printable else next(substitutes)): bytes([byte]) for byte in range(256)
    }


_BYTE_OF = byte_characters()


def _is_byte_level(backend: Backend) -> bool:
    """Return True for a byte-level tokenizer, False for SentencePiece.

    The two families have different decoders. Raises `ModelUnsupported` if the tokenizer belongs to
    neither family.
    """
    if backend.decoder is None:
        raise ModelUnsupported(
            "the tokenizer has no decoder.",
            "Use a model with a byte-level BPE or SentencePiece tokenizer.",
        )
    description = json.loads(backend.decoder.__getstate__())
    kinds = {description["type"], *(part["type"] for part in description.get("decoders", ()))}
    if "ByteLevel" in kinds:
        return True
    if kinds & {"ByteFallback", "Metaspace"}:
        return False
    raise ModelUnsupported(
        f"the tokenizer's decoder is not supported: {', '.join(sorted(kinds))[:200]}.",
        "Use a model with a byte-level BPE or SentencePiece tokenizer.",
    )


def _unknown_id(backend: Backend) -> int | None:
    """Return the id of the token for unknown characters, if there is one."""
    if isinstance(backend.model, models.Unigram):
        id_: int | None = json.loads(backend.to_str())["model"]["unk_id"]
        return id_
    mark = getattr(backend.model, "unk_token", None)
    return None if mark is None else backend.token_to_id(mark)


def _end_ids_beside(path: Path, backend: Backend) -> list[int]:
    """Return the id of the end-of-sequence token in `tokenizer_config.json`, if there is one."""
    config = path.parent / "tokenizer_config.json"
    settings = read_json(config) if config.exists() else None
    mark = settings.get("eos_token") if isinstance(settings, dict) else None
    if isinstance(mark, dict):
        mark = mark.get("content")
    known = backend.token_to_id(mark) if isinstance(mark, str) else None
    return [] if known is None else [known]

"""Text to token ids and back, with every token's exact bytes.

The algorithm is byte pair encoding (Sennrich et al. 2016) as the `tokenizers` library does it;
this module sets it up from what a model file says about its own tokenizer. Two families occur:

- byte-level (GPT-2, Llama 3, SmolLM): text is UTF-8 bytes, each byte written as one printable
  character, so a token can be any bytes;
- SentencePiece (Llama 1 and 2, Mistral): a space is written "▁", and a character that the
  vocabulary lacks falls back to one token for each of its bytes.

The bytes of a text's tokens are the bytes of the text. Three things are as the model was trained,
and cost a SentencePiece text something: a "▁" in it is a space; before it comes a space, where the
model wants one; and a `tokenizer.json` may name other changes to make first. What a vocabulary has
no token for is refused in both families.

Marks such as `<|im_end|>` steer a model. In text from a user they are only text: `encode` makes
special tokens of them only when it is told to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from itertools import compress, count
from pathlib import Path
from typing import Any

import msgspec
from tokenizers import Tokenizer as Backend

from tutor.errors import LabError, ModelDamaged, ModelUnsupported, TextError
from tutor.lm.distribution import Token
from tutor.lm.formats import tokenizer_gguf
from tutor.text import safe

SENTENCEPIECE_SPACE = "▁"

# Marks that end a model's answer, whichever of them the model file names as its end token.
END_MARKS = ("<|endoftext|>", "<|im_end|>", "<|end_of_text|>", "<|eot_id|>", "</s>")

_BETWEEN = "\ud800"  # half of a surrogate pair: no text that was decoded has it


class _Saved(msgspec.Struct, frozen=True):
    """What `to_json` writes: the library's own format and what it has no place for."""

    tokenizer: msgspec.Raw
    start_ids: tuple[int, ...]
    end_ids: tuple[int, ...]


class Tokenizer:
    """`start_ids` come before any text (a "beginning of sequence" mark, or nothing); at one of
    `end_ids` the model has finished its answer."""

    def __init__(
        self, backend: Backend, *, start_ids: Iterable[int] = (), end_ids: Iterable[int] = ()
    ) -> None:
        self._backend = backend
        self._byte_level = _is_byte_level(backend)
        self._added = backend.get_added_tokens_decoder()
        mark = None if self._byte_level else getattr(backend.model, "unk_token", None)
        self._unknown = None if mark is None else backend.token_to_id(mark)
        self.start_ids = tuple(start_ids)
        marks = [id_ for id_, mark in self._added.items() if mark.content in END_MARKS]
        self.end_ids = tuple(sorted({*end_ids, *marks}))

    @classmethod
    def from_gguf(cls, fields: Mapping[str, Any]) -> Tokenizer:
        """From the metadata of a GGUF file: plain values by key (`tokenizer.ggml.tokens` ...)."""
        return cls(
            tokenizer_gguf.backend(fields),
            start_ids=tokenizer_gguf.start_ids(fields),
            end_ids=tokenizer_gguf.end_ids(fields),
        )

    @classmethod
    def from_file(cls, path: Path) -> Tokenizer:
        """From a Hugging Face `tokenizer.json`, and the `tokenizer_config.json` beside it."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ModelDamaged(f"{path.name} cannot be read: {error}.") from error
        with library_failures(f"{path.name} is not a tokenizer"):
            backend = Backend.from_str(text)
            backend.no_truncation()  # it may ask for either
            backend.no_padding()
            processed = backend.encode("a").ids
            plain = backend.encode("a", add_special_tokens=False).ids
        start = processed[: processed.index(plain[0])] if plain and plain[0] in processed else []
        return cls(backend, start_ids=start, end_ids=_end_ids_beside(path, backend))

    @classmethod
    def from_json(cls, text: str | bytes) -> Tokenizer:
        """From what `to_json` wrote."""
        try:
            saved = msgspec.json.decode(text, type=_Saved)
            with library_failures("A saved tokenizer cannot be read"):
                backend = Backend.from_str(bytes(saved.tokenizer).decode("utf-8"))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ModelDamaged(f"A saved tokenizer cannot be read: {error}.") from error
        return cls(backend, start_ids=saved.start_ids, end_ids=saved.end_ids)

    def to_json(self) -> bytes:
        """For a cache: reading this is much quicker than reading a GGUF file's metadata."""
        raw = msgspec.Raw(self._backend.to_str().encode("utf-8"))
        return msgspec.json.encode(_Saved(raw, self.start_ids, self.end_ids))

    @property
    def vocabulary_size(self) -> int:
        return self._backend.get_vocab_size()

    @property
    def highest_id(self) -> int:
        return max(self._backend.get_vocab().values(), default=-1)

    @property
    def special_ids(self) -> dict[str, int]:
        """The special marks and their ids."""
        return {mark.content: id_ for id_, mark in self._added.items() if mark.special}

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """Token ids of `text`, without `start_ids`.

        With `special`, marks such as `<|im_end|>` become their special tokens. Raises
        `TextError` for text that this vocabulary has no tokens for: it is never silently dropped.
        """
        try:
            data = text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise TextError(
                f"Character {error.start + 1} is half of a surrogate pair and not Unicode text.",
                "Remove it and try again.",
            ) from error
        if missing := data.translate(None, self._bytes_with_token):
            raise TextError(
                f"The model's vocabulary has no token for the byte 0x{missing[0]:02x} in it.",
                "Remove control characters and very rare characters from the text.",
            )
        self._backend.encode_special_tokens = not special
        with library_failures("Its tokenizer fails on this text"):
            ids: list[int] = self._backend.encode(text, add_special_tokens=False).ids
        if self._unknown is not None and self._unknown in ids:
            raise TextError(
                "The model's vocabulary has no tokens for a character in it.",
                "Remove rare characters from the text.",
            )
        return ids

    def decode(self, ids: Iterable[int]) -> bytes:
        """The exact bytes of these tokens, one after another, special marks included."""
        return b"".join(self.token(id_).data for id_ in ids)

    def token(self, id_: int) -> Token:
        """The token with this id. Ids that the vocabulary leaves unused (networks are often
        padded to a round size) get a name and no bytes."""
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
        return tuple(self.token(id_) for id_ in ids)

    def containing(self, query: str) -> list[int]:
        """Ids of all tokens whose text contains `query`, capitals ignored, in ascending order."""
        wanted = query.casefold()
        folded = self._joined_texts.casefold().split(_BETWEEN)
        return [id_ for id_, text in enumerate(folded) if wanted in text]

    def chunks(self, text: str) -> list[bytes]:
        """The parts that a text is split into before pairs are merged: no token goes across
        them."""
        splitter = self._backend.pre_tokenizer
        parts = splitter.pre_tokenize_str(text) if splitter is not None else [(text, (0, 0))]
        return [self._bytes_of(written) for written, _ in parts]

    def merge_rules(self) -> dict[tuple[bytes, bytes], int]:
        """The rank, from 1, of every rule that joins two pieces. Raises `LabError` for a tokenizer
        that does not work on bytes."""
        if not self._byte_level:
            raise LabError(
                "This model's tokenizer merges characters, not bytes.",
                "Use a model with a byte-level tokenizer, as the default one has.",
            )
        merges = json.loads(self._backend.to_str())["model"]["merges"]
        pairs = (pair.split(" ") if isinstance(pair, str) else pair for pair in merges)
        return {
            (self._bytes_of(left), self._bytes_of(right)): rank
            for rank, (left, right) in enumerate(pairs, start=1)
        }

    def texts(self) -> list[str]:
        """The text of every token, by id: long, and to be let go again."""
        return self._joined_texts.split(_BETWEEN)

    @cached_property
    def _joined_texts(self) -> str:
        """Takes a while the first time, and then far less memory than so many strings."""
        return _BETWEEN.join(self.token(id_).text for id_ in range(self.vocabulary_size))

    def _bytes_of(self, written: str) -> bytes:
        if self._byte_level:
            return b"".join(
                _BYTE_OF[char] if char in _BYTE_OF else char.encode("utf-8") for char in written
            )
        if byte := re.fullmatch(r"<0x([0-9A-Fa-f]{2})>", written):
            return bytes([int(byte[1], 16)])
        return written.replace(SENTENCEPIECE_SPACE, " ").encode("utf-8")

    @cached_property
    def _bytes_with_token(self) -> bytes:
        """The bytes that can occur in text. SmolLM's vocabulary, for one, lacks 21 of the 256,
        some control characters among them."""
        if not self._byte_level:
            return bytes(range(256))
        found = (self._backend.token_to_id(char) is not None for char in _BYTE_OF)
        return b"".join(compress(_BYTE_OF.values(), found))


@contextmanager
def library_failures(what: str) -> Iterator[None]:
    """Turns whatever the tokenizers library raises into `ModelDamaged`: it has no error classes of
    its own, and what goes wrong unforeseen in its Rust code is not even an `Exception`."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise ModelDamaged(f"{what}: {safe(str(error))[:200]}.") from error


def _byte_characters() -> dict[str, bytes]:
    """The printable character that stands for each byte in a byte-level vocabulary: itself where
    it is printable, the next unused one from U+0100 where not (GPT-2, `bytes_to_unicode`)."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    substitutes = count(0x100)
    return {
        chr(byte if byte in printable else next(substitutes)): bytes([byte]) for byte in range(256)
    }


_BYTE_OF = _byte_characters()


def _is_byte_level(backend: Backend) -> bool:
    """Told by the decoder. Raises `ModelUnsupported` if it is of neither family."""
    if backend.decoder is None:
        raise ModelUnsupported("Its tokenizer does not say how tokens become text.")
    description = json.loads(backend.decoder.__getstate__())
    kinds = {description["type"], *(part["type"] for part in description.get("decoders", ()))}
    if "ByteLevel" in kinds:
        return True
    if kinds & {"ByteFallback", "Metaspace"}:
        return False
    raise ModelUnsupported(
        f"Its tokenizer decodes by {', '.join(sorted(kinds))[:200]}.",
        "Use a model with a byte-level BPE or SentencePiece tokenizer.",
    )


def _end_ids_beside(path: Path, backend: Backend) -> list[int]:
    """The end token that `tokenizer_config.json` in the same folder names, if it names one."""
    try:
        settings = msgspec.json.decode((path.parent / "tokenizer_config.json").read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as error:
        raise ModelDamaged(f"tokenizer_config.json cannot be read: {error}.") from error
    mark = settings.get("eos_token") if isinstance(settings, dict) else None
    if isinstance(mark, dict):
        mark = mark.get("content")
    known = backend.token_to_id(mark) if isinstance(mark, str) else None
    return [] if known is None else [known]

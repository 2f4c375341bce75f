"""Give llama.cpp's tokenizer the same methods as our own (`tutor.lm.tokenizer`)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from tutor.errors import TextError
from tutor.lm.distribution import Token
from tutor.lm.llamacpp.library import Library


class LlamaTokenizer:
    """The tokenizer of a model that llama.cpp has loaded.

    `start_ids` are added at the start of every text. A token from `end_ids` ends an answer.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self.vocabulary_size = library.vocabulary_size
        self.start_ids = () if library.start_id is None else (library.start_id,)
        self.end_ids = tuple(id_ for id_ in range(self.vocabulary_size) if library.is_end(id_))

    @cached_property
    def special_ids(self) -> dict[str, int]:
        """Return a mapping from the texts of the special tokens to their ids."""
        ids = (id_ for id_ in range(self.vocabulary_size) if self._library.is_special(id_))
        return {self.token(id_).text: id_ for id_ in ids if self._library.piece(id_)}

    def encode(self, text: str) -> list[int]:
        """Encode `text` as token ids, without `start_ids`.

        Names of special tokens are treated as ordinary text. The tokens may add one space before
        the text. Raises `TextError` if their bytes differ from the text in any other way.
        """
        try:
            data = text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise TextError(
                f"Character {error.start + 1} of the text is half of a surrogate pair, which is "
                "not valid Unicode.",
                "Remove this character and try again.",
            ) from error
        ids = self._library.encode(data) if data else []
        if self.decode(ids) not in (data, b" " + data):
            raise TextError(
                "The model's tokenizer changes this text or drops part of it.",
                "Remove control characters and very rare characters from the text.",
            )
        return ids

    def decode(self, ids: Iterable[int]) -> bytes:
        """Return the bytes of all tokens in `ids`, concatenated, including special tokens."""
        return b"".join(map(self._library.piece, ids))

    def token(self, id_: int) -> Token:
        """Return the token with the id `id_`."""
        data = self._library.piece(id_)
        text = data.decode("utf-8", errors="replace")
        special = self._library.is_special(id_)
        return Token(id_, text if data else f"<unused {id_}>", data, special or not data)

    def tokens(self, ids: Iterable[int]) -> tuple[Token, ...]:
        """Return the tokens with the ids in `ids`."""
        return tuple(map(self.token, ids))

    def containing(self, query: str) -> list[int]:
        """Return the sorted ids of all tokens whose text contains `query`, ignoring case."""
        wanted = query.casefold()
        return [id_ for id_, text in enumerate(self.texts()) if wanted in text.casefold()]

    def texts(self) -> list[str]:
        """Return the text of every token, in the order of their ids."""
        return self._texts

    @cached_property
    def _texts(self) -> list[str]:
        return [self.token(id_).text for id_ in range(self.vocabulary_size)]

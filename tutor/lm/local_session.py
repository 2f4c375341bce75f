"""The common part of sessions on local models: the tokens, and results computed from logits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from tutor.errors import ContextFull, TextError
from tutor.lm import sampling
from tutor.lm.distribution import Distribution, Row, SamplerSettings, Token
from tutor.lm.language_model import Vocabulary


class LocalSession(ABC):
    """A base class for sessions: a token sequence (the path), and results computed from logits.

    A position is the number of tokens before the predicted token. For example, the distribution at
    position 1 predicts the second token.
    """

    def __init__(self, tokenizer: Vocabulary, vocabulary_size: int, longest: int) -> None:
        """Create a session without tokens.

        `vocabulary_size` is the number of logits, and `longest` the maximum number of tokens.
        """
        self._tokenizer = tokenizer
        self._vocabulary_size = vocabulary_size
        self._longest = longest
        self._ids: list[int] = []

    @abstractmethod
    def logits(self, position: int) -> Tensor:
        """Return the logits after the first `position` tokens: [vocabulary]."""

    # --- the path ---------------------------------------------------------------------------

    @property
    def ids(self) -> tuple[int, ...]:
        """Return the ids of the session's tokens."""
        return tuple(self._ids)

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Return the session's tokens."""
        return self._tokenizer.tokens(self._ids)

    @property
    def ended(self) -> bool:
        """Return True if the last token is an end token."""
        return self._ids[-1] in self._tokenizer.end_ids

    def __len__(self) -> int:
        return len(self._ids)

    def append(self, ids: Iterable[int]) -> None:
        """Append tokens to the session.

        They are processed when a result is needed. Raises `TextError` for an unknown id, and
        `ContextFull` if the session would become too long.
        """
        added = list(ids)
        if len(self) + len(added) > self._longest:
            raise ContextFull(
                f"The text can have at most {self._longest:,} tokens, but this would make it "
                f"{len(self) + len(added):,}.",
                "Go back, or start with a shorter text.",
            )
        self._check_known(added)
        self._add(added)

    def _add(self, ids: Sequence[int]) -> None:
        """Append tokens that have been checked."""
        self._ids += ids

    # --- results ----------------------------------------------------------------------------

    def distribution(
        self, position: int, sampler: SamplerSettings, seed: int, top: int
    ) -> Distribution:
        """Return the distribution after `position` tokens, with the `top` most probable tokens."""
        return sampling.distribution(
            self.logits(position),
            sampler,
            position=position,
            seed=seed,
            top=top,
            token_of=self._tokenizer.token,
        )

    def rows(self, position: int, sampler: SamplerSettings, ids: Sequence[int]) -> tuple[Row, ...]:
        """Return the rank and probability of each token in `ids` after `position` tokens."""
        self._check_known(ids)
        weights = sampling.weigh(self.logits(position), sampler)
        return sampling.rows(weights, ids, self._tokenizer.token)

    def find(
        self, position: int, sampler: SamplerSettings, query: str, limit: int
    ) -> tuple[Row, ...]:
        """Return up to `limit` tokens whose text contains `query`.

        Tokens that equal `query`, with or without a leading space, come first. The other tokens
        follow in order of probability. Raises `TextError` if no token matches.
        """
        ids = matching(self._tokenizer, self.logits(position), query, limit)
        return self.rows(position, sampler, ids)

    # --- checks -----------------------------------------------------------------------------

    def _check_length(self, length: int) -> None:
        if not 1 <= length <= len(self):
            raise TextError(
                f"Position {length} is outside this text of {len(self)} tokens.",
                f"Use a position from 1 to {len(self)}.",
            )

    def _check_known(self, ids: Iterable[int]) -> None:
        size = self._vocabulary_size
        for id_ in ids:
            if not 0 <= id_ < size:
                raise TextError(
                    f"Token {id_} is not in the vocabulary.", f"Use an id from 0 to {size - 1}."
                )


def require_tokens(ids: Sequence[int]) -> None:
    """Raise `TextError` if there are no tokens."""
    if not ids:
        raise TextError("The text is empty.", "Enter at least one character.")


def matching(tokenizer: Vocabulary, logits: Tensor, query: str, limit: int) -> list[int]:
    """Return the ids of the tokens that `find` lists, given the logits [vocabulary]."""
    found = tokenizer.containing(query)
    # the tokenizer can have more tokens than the network
    del found[bisect_left(found, len(logits)) :]
    if not query or not found:
        raise TextError(
            f"No token in the vocabulary contains {query!r}." if query else "The search is empty.",
            "Try fewer letters: rare words consist of several tokens."
            if query
            else "Type at least one letter.",
        )
    texts, same = tokenizer.texts(), {query, " " + query}
    exact = [id_ for id_ in found if texts[id_] in same]
    ids = torch.tensor(found)
    best = ids[sampling.ranked(logits[ids], min(limit + len(exact), len(found)))].tolist()
    exact.sort(key=lambda id_: (-float(logits[id_]), id_))
    order = dict.fromkeys(exact + best)  # without duplicates
    return list(order)[:limit]

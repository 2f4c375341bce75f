"""A session on a model that llama.cpp runs: a text with the logits after each token.

llama.cpp processes one text at a time, so all sessions share it. When another session needs a
result, llama.cpp keeps the common prefix of the two texts and processes the rest of the new text.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import torch
from torch import Tensor

from tutor.errors import NotWithLlamaCpp, TextError
from tutor.lm.distribution import ModelCard, XRay, common_length
from tutor.lm.llamacpp.library import BATCH, Library
from tutor.lm.llamacpp.tokenizer import LlamaTokenizer
from tutor.lm.local_session import LocalSession, require_tokens

if TYPE_CHECKING:
    from tutor.lm.attribution import Attribution, Occlusion

# The maximum number of positions whose logits are in memory at once while a text is scored.
SCORED_AT_ONCE = 16

# The maximum size of all logits that are kept, in bytes.
KEPT_BYTES = 32 * 1024 * 1024


class Reader:
    """The text that llama.cpp has processed, and the logits at the latest positions."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._processed: list[int] = []
        self._logits: OrderedDict[tuple[int, ...], Tensor] = OrderedDict()  # oldest first
        self._most = max(1, KEPT_BYTES // (4 * library.vocabulary_size))

    def logits(self, ids: tuple[int, ...], check_cancelled: Callable[[], None]) -> Tensor:
        """Return the logits after the tokens `ids`: [vocabulary]."""
        if ids not in self._logits:
            for rows in self._process(ids, len(ids) - 1, check_cancelled):
                self._logits[ids] = rows[-1]
        self._logits.move_to_end(ids)
        while len(self._logits) > self._most:
            self._logits.popitem(last=False)
        return self._logits[ids]

    def all_logits(
        self, ids: tuple[int, ...], start: int, check_cancelled: Callable[[], None]
    ) -> Iterator[Tensor]:
        """Yield the logits [n, vocabulary] after each token from index `start` on, in chunks."""
        return self._process(ids, start, check_cancelled)

    def _process(
        self, ids: tuple[int, ...], start: int, check_cancelled: Callable[[], None]
    ) -> Iterator[Tensor]:
        """Process `ids`, and yield the logits after each token from index `start` on, in chunks.

        If the request is canceled, the tokens that have been processed are kept.
        """
        kept = min(common_length(self._processed, ids), start)
        if not self._library.truncate(kept):
            self._library.truncate(0)
            kept = 0
        del self._processed[kept:]
        while (at := len(self._processed)) < len(ids):
            check_cancelled()
            every = at >= start
            end = at + SCORED_AT_ONCE if every else min(at + BATCH, start)
            chunk = ids[at:end]
            rows = self._library.process(chunk, at, every)
            self._processed += chunk
            if every:
                yield torch.from_numpy(rows)


@dataclass(frozen=True)
class LlamaModel:
    """A model that llama.cpp runs, with its tokenizer and its chat template."""

    card: ModelCard
    reader: Reader
    tokenizer: LlamaTokenizer
    chat_template: str | None


class LlamaSession(LocalSession):
    """A session: a token sequence, and the results that llama.cpp computes for it.

    It has the methods of `tutor.engine.api.ModelSession`. The methods that need values from inside
    the network raise `NotWithLlamaCpp`. Raises `TextError` if the text is empty, and `ContextFull`
    if it is longer than the context window or than `longest`.
    """

    def __init__(
        self,
        model: LlamaModel,
        ids: Sequence[int],
        *,
        check_cancelled: Callable[[], None] = lambda: None,
        longest: int | None = None,
    ) -> None:
        card = model.card
        longest = card.context if longest is None else min(longest, card.context)
        super().__init__(model.tokenizer, card.vocabulary_size, longest)
        self._model = model
        self._check_cancelled = check_cancelled
        self._bits: list[float | None] = []
        require_tokens(ids)
        self.append(ids)

    @property
    def model(self) -> LlamaModel:
        """Return the model that processes the text."""
        return self._model

    # --- the text ---------------------------------------------------------------------------

    def _add(self, ids: Sequence[int]) -> None:
        super()._add(ids)
        self._bits += [None] * len(ids)

    def go_back(self, length: int) -> None:
        """Truncate the session to its first `length` tokens."""
        self._check_length(length)
        del self._ids[length:], self._bits[length:]

    def fork(self, length: int) -> LlamaSession:
        """Return a new session with the first `length` tokens."""
        self._check_length(length)
        other = LlamaSession(
            self._model,
            self._ids[:length],
            check_cancelled=self._check_cancelled,
            longest=self._longest,
        )
        other._bits = self._bits[:length]
        return other

    # --- results ----------------------------------------------------------------------------

    def logits(self, position: int) -> Tensor:
        """Return the logits after the first `position` tokens: [vocabulary]."""
        self._check_length(position)
        return self._model.reader.logits(tuple(self._ids[:position]), self._check_cancelled)

    def surprisals(self, start: int = 0) -> tuple[float | None, ...]:
        """Return the surprisal in bits of each token from index `start` to the end.

        The value is None for the first token, because the model has no context to predict it.
        """
        end = len(self)
        if not 0 <= start <= end:
            raise TextError(f"There is no token {start} in a text of {end} tokens.")
        first = next((i for i in range(max(1, start), end) if self._bits[i] is None), end)
        if first < end:
            before = tuple(self._ids[: end - 1])
            for rows in self._model.reader.all_logits(before, first - 1, self._check_cancelled):
                taken = torch.tensor(self._ids[first : first + len(rows)])
                chosen = rows.log_softmax(dim=-1)[torch.arange(len(rows)), taken]
                for bits in (-chosen / math.log(2)).tolist():
                    self._bits[first] = bits
                    first += 1
        return tuple(self._bits[start:end])

    # --- what llama.cpp does not expose -------------------------------------------------------

    def xray(self, position: int, layer: int, neighbors: bool = True) -> XRay:
        """Raise `NotWithLlamaCpp`."""
        refuse()

    def attribution(
        self, position: int, target: int | None = None, against: int | None = None
    ) -> Attribution:
        """Raise `NotWithLlamaCpp`."""
        refuse()

    def sources(
        self,
        position: int,
        layer: int,
        head: int | None,
        target: int | None = None,
        against: int | None = None,
    ) -> tuple[float, ...]:
        """Raise `NotWithLlamaCpp`."""
        refuse()

    def occlusion(
        self,
        position: int,
        indexes: tuple[int, ...],
        target: int | None = None,
        against: int | None = None,
    ) -> tuple[Occlusion, ...]:
        """Raise `NotWithLlamaCpp`."""
        refuse()


def refuse() -> NoReturn:
    """Raise the error for a feature that looks inside the network or changes it."""
    raise NotWithLlamaCpp(
        "llama.cpp runs this model, and it does not show what happens inside the network.",
        "Use a model that tutor runs itself, such as the default model.",
    )

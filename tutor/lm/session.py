"""A text being read by a model, and everything already computed for it.

Reading one more token costs one forward pass of one token. Going back costs nothing, and what was
computed is kept until other tokens take its place: going forward again along the same tokens
costs nothing either. For each token read the final vector is kept, so the distribution at any
earlier position costs one product with the vocabulary.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from tutor.errors import ContextFull, TextError, TutorError
from tutor.lm import sampling
from tutor.lm.distribution import (
    Distribution,
    Row,
    SamplerSettings,
    Token,
    XRay,
    common_length,
)
from tutor.lm.fast.together import read_together
from tutor.lm.inspect.xray import ATTENTION_BYTES, x_ray
from tutor.lm.language_model import LanguageModel
from tutor.lm.network import KeyValueCache

# Tokens read in one forward pass. Cancelling is looked at between passes, so this bounds how long
# it takes (about 0.2 s for SmolLM2 on two old cores); fewer would make reading slower.
CHUNK = 128

# Positions whose logits exist at the same time when a whole text is scored: a row is as long as
# the vocabulary.
SCORED_AT_ONCE = 16


class Session:
    """One path of tokens. Positions count the tokens before a distribution: position 1 asks what
    follows the first token.

    `check_cancelled` is called between pieces of work and stops it by raising. Raises `TextError`
    for an empty path and `ContextFull` for one longer than the model can read, or than `longest`.
    """

    def __init__(
        self,
        model: LanguageModel,
        ids: Sequence[int],
        *,
        check_cancelled: Callable[[], None] = lambda: None,
        longest: int | None = None,
    ) -> None:
        self._model = model
        self._check_cancelled = check_cancelled
        context = model.network.config.context
        self._longest = context if longest is None else min(longest, context)
        self._ids: list[int] = []
        self.drop_computed()
        self._require_tokens(ids)
        self.append(ids)

    def drop_computed(self) -> None:
        """Free the memory of what is computed. The path stays; it is read again when something is
        asked."""
        # For each token that the network has read: its id, its final vector [width], and how
        # surprising it was in bits (filled in when asked for).
        self._read: list[int] = []
        self._final: list[Tensor] = []
        self._bits: list[float | None] = []
        self._cache = KeyValueCache(
            self._model.network.config, capacity=1, device=self._model.card.device
        )
        self._agreed = 0  # so many tokens of the path are the same as those read

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(self._ids)

    @property
    def tokens(self) -> tuple[Token, ...]:
        return self._model.tokenizer.tokens(self._ids)

    @property
    def ended(self) -> bool:
        """True when the last token is one that ends a text or an answer."""
        return self._ids[-1] in self._model.tokenizer.end_ids

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def cache_bytes(self) -> int:
        """Memory that what is computed takes."""
        config = self._model.network.config
        per_token = config.layers * 2 * config.key_value_heads * config.head_size + config.width
        return 4 * per_token * self._cache.capacity

    # --- the path ---------------------------------------------------------------------------

    def append(self, ids: Iterable[int]) -> None:
        """Add tokens at the end. Nothing is computed before it is asked for."""
        added = list(ids)
        self._check_room(len(added))
        size = self._model.network.config.vocabulary_size
        for id_ in added:
            if not 0 <= id_ < size:
                raise TextError(f"Token {id_} is not in the vocabulary.", f"Use 0 to {size - 1}.")
        for id_ in added:
            known = self._read[self._agreed : self._agreed + 1]
            if self._agreed == len(self._ids) and known == [id_]:
                self._agreed += 1
            self._ids.append(id_)

    def go_back(self, length: int) -> None:
        """Shorten the path to its first `length` tokens."""
        self._check_length(length)
        del self._ids[length:]
        self._agreed = min(self._agreed, length)

    def replace(self, ids: Sequence[int]) -> None:
        """Go over to another path; what is computed for its common beginning is kept."""
        shared = common_length(self._ids, ids)
        before = self._ids[shared:]
        del self._ids[shared:]
        self._agreed = min(self._agreed, shared)
        try:
            self._require_tokens(ids)
            self.append(ids[shared:])
        except TutorError:
            self.append(before)
            raise

    def fork(self, length: int) -> Session:
        """Another session on the first `length` tokens, with what is computed for them."""
        self._check_length(length)
        other = Session(
            self._model,
            self._ids[:length],
            check_cancelled=self._check_cancelled,
            longest=self._longest,
        )
        shared = min(length, self._agreed)
        other._cache = self._cache.copy(shared)
        other._read = self._read[:shared]
        other._final = self._final[:shared]
        other._bits = self._bits[:shared]
        other._agreed = shared
        return other

    def unread(self, length: int) -> int:
        """How many of the first `length` tokens the network has still to read."""
        return max(0, length - self._agreed)

    # --- questions --------------------------------------------------------------------------

    def logits(self, position: int) -> Tensor:
        """Scores of every token after the first `position` tokens: [vocabulary]."""
        self._check_length(position)
        self._read_to(position)
        with torch.inference_mode():
            return self._model.network.logits(self._final[position - 1][None])[0].cpu()

    def distribution(
        self, position: int, sampler: SamplerSettings, seed: int, top: int
    ) -> Distribution:
        """What comes after the first `position` tokens, with the `top` most probable rows."""
        return sampling.distribution(
            self.logits(position),
            sampler,
            position=position,
            seed=seed,
            top=top,
            token_of=self._model.tokenizer.token,
        )

    def rows(self, position: int, sampler: SamplerSettings, ids: Sequence[int]) -> tuple[Row, ...]:
        """Where these tokens stand in the distribution after `position` tokens."""
        weights = sampling.weigh(self.logits(position), sampler)
        for id_ in ids:
            if not 0 <= id_ < len(weights.logits):
                raise TextError(f"Token {id_} is not in the vocabulary.")
        return sampling.rows(weights, ids, self._model.tokenizer.token)

    def find(
        self, position: int, sampler: SamplerSettings, query: str, limit: int
    ) -> tuple[Row, ...]:
        """Up to `limit` tokens whose text contains `query`: first those that are exactly it, with
        or without a leading space, then the most probable. Raises `TextError` if there is none."""
        logits = self.logits(position)
        tokenizer = self._model.tokenizer
        found = tokenizer.containing(query)
        del found[bisect_left(found, len(logits)) :]  # a vocabulary can be larger than its network
        if not query or not found:
            raise TextError(
                f"No token of the vocabulary contains {query!r}."
                if query
                else "The search is empty.",
                "Try fewer letters: rare words are made of several tokens.",
            )
        texts, same = tokenizer.texts(), {query, " " + query}
        exact = [id_ for id_ in found if texts[id_] in same]
        ids = torch.tensor(found)
        best = ids[sampling.ranked(logits[ids], min(limit + len(exact), len(found)))].tolist()
        exact.sort(key=lambda id_: (-float(logits[id_]), id_))
        order = dict.fromkeys(exact + best)  # each once, where it comes first
        return self.rows(position, sampler, list(order)[:limit])

    def surprisals(self, start: int = 0) -> tuple[float | None, ...]:
        """-log2 p of each token from `start` to the end; None for the first token of all, before
        which the model has nothing to go by."""
        end = len(self._ids)
        if not 0 <= start <= end:
            raise TextError(f"There is no token {start} in a text of {end} tokens.")
        self._read_to(end)
        unknown = [i for i in range(max(1, start), end) if self._bits[i] is None]
        for first in range(0, len(unknown), SCORED_AT_ONCE):
            self._check_cancelled()
            self._score(unknown[first : first + SCORED_AT_ONCE])
        return tuple(self._bits[start:end])

    def xray(self, position: int, layer: int = 0, attention_bytes: int = ATTENTION_BYTES) -> XRay:
        """Return the logit lens of the token at `position`, counted from 0, and the attention of
        `layer` and of as many around it as `attention_bytes` hold."""
        if not 0 <= position < len(self._ids):
            raise TextError(f"There is no token {position} in a text of {len(self._ids)} tokens.")
        self._read_to(position)
        following = self._ids[position + 1] if position + 1 < len(self._ids) else None
        with torch.inference_mode(), self._cache.rewound(position) as before:
            return x_ray(
                self._model, before, self._ids[position], following, layer, attention_bytes
            )

    # --- the work ---------------------------------------------------------------------------

    @torch.inference_mode()
    def _read_to(self, length: int) -> None:
        """Make sure that the network has read the first `length` tokens of the path."""
        if self._agreed >= length:
            return
        self._forget_beyond_the_path()
        while self._agreed < length:
            self._check_cancelled()
            ids = self._ids[self._agreed : min(self._agreed + CHUNK, length)]
            self._take(ids, self._model.network(torch.tensor(ids), self._cache))

    def _forget_beyond_the_path(self) -> None:
        """What was computed for tokens that have been replaced since."""
        self._cache.truncate(self._agreed)
        for computed in (self._read, self._final, self._bits):
            del computed[self._agreed :]

    def _take(self, ids: Sequence[int], final: Tensor) -> None:
        """The network has read `ids` [n]; `final` [n, width] are its final vectors."""
        self._read += ids
        self._final += final.unbind()
        self._bits += [None] * len(ids)
        self._agreed += len(ids)

    @torch.inference_mode()
    def _score(self, positions: Sequence[int]) -> None:
        """Fill in how surprising the tokens at these positions were."""
        before = torch.stack([self._final[i - 1] for i in positions])
        log_probabilities = self._model.network.logits(before).cpu().log_softmax(dim=-1)
        taken = torch.tensor([self._ids[i] for i in positions])
        chosen = log_probabilities[torch.arange(len(positions)), taken]
        for i, log_probability in zip(positions, chosen.tolist(), strict=True):
            self._bits[i] = -log_probability / math.log(2)

    def _check_room(self, added: int) -> None:
        if len(self._ids) + added > self._longest:
            raise ContextFull(
                f"{self._longest:,} tokens at most are read here; this would make "
                f"{len(self._ids) + added:,}.",
                "Go back, or start with a shorter text.",
            )

    def _require_tokens(self, ids: Sequence[int]) -> None:
        if not ids:
            raise TextError("The text is empty.", "Enter at least one character.")

    def _check_length(self, length: int) -> None:
        if not 1 <= length <= len(self._ids):
            raise TextError(
                f"Position {length} is outside this text of {len(self._ids)} tokens.",
                f"Use 1 to {len(self._ids)}.",
            )


def read_one_more(sessions: Sequence[Session]) -> None:
    """Let the network read the next token of each of these paths of one model, in one pass. Each
    must have one that is unread."""
    for session in sessions:
        session._forget_beyond_the_path()
    ids = [session._ids[session._agreed] for session in sessions]
    network = sessions[0]._model.network
    final = read_together(network, ids, [session._cache for session in sessions])
    for session, id_, vector in zip(sessions, ids, final, strict=True):
        session._take([id_], vector[None])

"""A session: a text that a model processes, with a cache of all results.

Processing one more token takes one forward pass over that token. Going back takes no time. The
results for later tokens stay cached until different tokens replace them, so going forward again
along the same tokens takes no time either. The final hidden state of each token is cached too, so
the distribution at an earlier position takes only one pass through the output layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from tutor.errors import TextError, TutorError
from tutor.lm.distribution import common_length
from tutor.lm.fast.together import read_together
from tutor.lm.inspect.inspectable import Inspectable
from tutor.lm.inspect.steering import Steering, steered_by
from tutor.lm.language_model import LanguageModel
from tutor.lm.local_session import require_tokens
from tutor.lm.network import KeyValueCache

# The maximum number of tokens in one forward pass. A request can be canceled only between
# passes, so this limits how long canceling takes (about 0.2 s for SmolLM2 on two old cores). A
# smaller number would make prefill slower.
CHUNK = 128

# The maximum number of positions whose logits are in memory at once while a text is scored. Each
# row of logits is as long as the vocabulary.
SCORED_AT_ONCE = 16


class Session(Inspectable):
    """A session: a token sequence (the path) with its key-value cache and all results.

    `check_cancelled` is called regularly during long computations and can stop them by raising an
    exception. Raises `TextError` if the path is empty, and `ContextFull` if it is longer than the
    context window or than `longest`.

    With `steering`, the network is steered whenever it computes results for this session.
    """

    def __init__(
        self,
        model: LanguageModel,
        ids: Sequence[int],
        *,
        check_cancelled: Callable[[], None] = lambda: None,
        longest: int | None = None,
        steering: Steering | None = None,
    ) -> None:
        config = model.network.config
        longest = config.context if longest is None else min(longest, config.context)
        super().__init__(model.tokenizer, config.vocabulary_size, longest)
        self._model = model
        self._steering = steering
        self._check_cancelled = check_cancelled
        self.drop_computed()
        require_tokens(ids)
        self.append(ids)

    def drop_computed(self) -> None:
        """Free the memory of all results.

        The tokens are kept. They will be processed again when a result is needed.
        """
        # Three lists with one item for each token that the network has processed: the token's id,
        # its final hidden state [width], and its surprisal in bits (computed on request).
        self._processed: list[int] = []
        self._final: list[Tensor] = []
        self._bits: list[float | None] = []
        self._cache = KeyValueCache(
            self._model.network.config, capacity=1, device=self._model.card.device
        )
        # The results are valid for the first `_valid` tokens of the session.
        self._valid = 0

    @property
    def model(self) -> LanguageModel:
        """Return the model that processes the text."""
        return self._model

    @property
    def steering(self) -> Steering | None:
        """Return the vector that steers the network, or None."""
        return self._steering

    def steer(self, steering: Steering | None) -> None:
        """Steer the network from now on, or stop steering it. All computed results are dropped."""
        self._steering = steering
        self.drop_computed()

    @property
    def cache_bytes(self) -> int:
        """Return the size of the cached results in bytes."""
        config = self._model.network.config
        per_token = config.layers * 2 * config.key_value_heads * config.head_size + config.width
        return 4 * per_token * self._cache.capacity

    # --- the path ---------------------------------------------------------------------------

    def _add(self, ids: Sequence[int]) -> None:
        for id_ in ids:
            at = self._valid
            if at == len(self._ids) and self._processed[at : at + 1] == [id_]:
                self._valid += 1
            self._ids.append(id_)

    def go_back(self, length: int) -> None:
        """Truncate the session to its first `length` tokens.

        The results for the other tokens stay in the cache.
        """
        self._check_length(length)
        del self._ids[length:]
        self._valid = min(self._valid, length)

    def replace(self, ids: Sequence[int]) -> None:
        """Replace the tokens.

        The results for the common prefix of the old and the new tokens are kept.
        """
        shared = common_length(self._ids, ids)
        before = self._ids[shared:]
        del self._ids[shared:]
        self._valid = min(self._valid, shared)
        try:
            require_tokens(ids)
            self.append(ids[shared:])
        except TutorError:
            self.append(before)
            raise

    def fork(self, length: int) -> Session:
        """Return a new session with the first `length` tokens and copies of their results."""
        self._check_length(length)
        other = Session(
            self._model,
            self._ids[:length],
            check_cancelled=self._check_cancelled,
            longest=self._longest,
            steering=self._steering,
        )
        shared = min(length, self._valid)
        other._cache = self._cache.copy(shared)
        other._processed = self._processed[:shared]
        other._final = self._final[:shared]
        other._bits = self._bits[:shared]
        other._valid = shared
        return other

    def unread(self, length: int) -> int:
        """Return how many of the first `length` tokens have not been processed yet."""
        return max(0, length - self._valid)

    # --- results ----------------------------------------------------------------------------

    def logits(self, position: int) -> Tensor:
        """Return the logits after the first `position` tokens: [vocabulary]."""
        self._check_length(position)
        self._process(position)
        with torch.inference_mode():
            return self._model.network.logits(self._final[position - 1][None])[0].cpu()

    def surprisals(self, start: int = 0) -> tuple[float | None, ...]:
        """Return the surprisal in bits of each token from index `start` to the end.

        The value is None for the first token of the text, because the model has no context to
        predict it.
        """
        end = len(self._ids)
        if not 0 <= start <= end:
            raise TextError(f"There is no token {start} in a text of {end} tokens.")
        self._process(end)
        unknown = [i for i in range(max(1, start), end) if self._bits[i] is None]
        for first in range(0, len(unknown), SCORED_AT_ONCE):
            self._check_cancelled()
            self._score(unknown[first : first + SCORED_AT_ONCE])
        return tuple(self._bits[start:end])

    @contextmanager
    def before(self, position: int) -> Iterator[KeyValueCache]:
        """Provide the cache of the first `position` tokens in a `with` block.

        The token at `position` can be processed again in the block, in inference mode.
        """
        self._process(position)
        steering = steered_by(self._steering, self._model.network)
        with torch.inference_mode(), steering, self._cache.rewound(position) as cache:
            yield cache

    # --- computation ------------------------------------------------------------------------

    @torch.inference_mode()
    def _process(self, length: int) -> None:
        """Process the first `length` tokens, except the ones whose results are cached."""
        if self._valid >= length:
            return
        self._drop_stale()
        while self._valid < length:
            self._check_cancelled()
            ids = self._ids[self._valid : min(self._valid + CHUNK, length)]
            with steered_by(self._steering, self._model.network):
                final = self._model.network(torch.tensor(ids), self._cache)
            self._store(ids, final)

    def _drop_stale(self) -> None:
        """Discard the results of tokens that are no longer in the session."""
        self._cache.truncate(self._valid)
        for computed in (self._processed, self._final, self._bits):
            del computed[self._valid :]

    def _store(self, ids: Sequence[int], final: Tensor) -> None:
        """Store the final hidden states [n, width] of the newly processed tokens `ids` [n]."""
        self._processed += ids
        self._final += final.unbind()
        self._bits += [None] * len(ids)
        self._valid += len(ids)

    @torch.inference_mode()
    def _score(self, positions: Sequence[int]) -> None:
        """Compute the surprisals of the tokens at `positions`."""
        before = torch.stack([self._final[i - 1] for i in positions])
        log_probabilities = self._model.network.logits(before).cpu().log_softmax(dim=-1)
        taken = torch.tensor([self._ids[i] for i in positions])
        chosen = log_probabilities[torch.arange(len(positions)), taken]
        for i, log_probability in zip(positions, chosen.tolist(), strict=True):
            self._bits[i] = -log_probability / math.log(2)


def read_in_one_pass(texts: Sequence[tuple[Session, int]]) -> None:
    """Process each session up to the given length, with one forward pass for all of them.

    All sessions must use the same model, and each must have tokens up to its length that have not
    been processed yet. None of them can be steered, because all share one pass through the network.
    """
    for session, _ in texts:
        session._drop_stale()
    ids = [session._ids[session._valid : length] for session, length in texts]
    network = texts[0][0]._model.network
    finals = read_together(network, ids, [session._cache for session, _ in texts])
    for (session, _), new, final in zip(texts, ids, finals, strict=True):
        session._store(new, final)

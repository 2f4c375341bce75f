"""The plain data that the language model hands to the rest of the program.

Nothing here imports torch: the process that draws the screen uses these types too.
Probabilities are between 0 and 1, logits are the network's raw scores (natural-log units),
entropy and surprisal are in bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import msgspec

from tutor.errors import SamplerError


class Token(msgspec.Struct, frozen=True):
    """One entry of the vocabulary.

    `data` are its exact bytes, which need not be valid UTF-8 on their own; `text` is their
    decoding with U+FFFD for what is not. `special` tokens (`<|im_end|>`) are control marks that
    ordinary text can never produce.
    """

    id: int
    text: str
    data: bytes
    special: bool = False


def common_length(one: Iterable[object], other: Iterable[object]) -> int:
    """Return how many items two sequences begin with in common."""
    length = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        length += 1
    return length


class SamplerSettings(msgspec.Struct, frozen=True):
    """How one token is drawn from a distribution.

    Applied in this order: temperature, top-k, top-p, min-p, then the draw.
    `temperature` 0 is greedy: always the most probable token. `top_k` 0, `top_p` 1 and `min_p` 0
    switch that step off.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and 0 <= self.temperature <= 100):
            raise SamplerError(
                f"The temperature is {self.temperature}.", "Use a number from 0 to 100."
            )
        if self.top_k < 0:
            raise SamplerError(f"Top-k is {self.top_k}.", "Use 0 (off) or a positive number.")
        if not (math.isfinite(self.top_p) and 0 < self.top_p <= 1):
            raise SamplerError(f"Top-p is {self.top_p}.", "Use a number above 0 and up to 1 (off).")
        if not (math.isfinite(self.min_p) and 0 <= self.min_p <= 1):
            raise SamplerError(f"Min-p is {self.min_p}.", "Use a number from 0 (off) to 1.")

    @property
    def greedy(self) -> bool:
        return self.temperature == 0

    @property
    def plain(self) -> bool:
        """True when sampling follows the model's own probabilities unchanged."""
        return self == SamplerSettings()


PLAIN = SamplerSettings()

Cut = Literal["greedy", "top-k", "top-p", "min-p"]


class Row(msgspec.Struct, frozen=True):
    """One token's place in a distribution over the whole vocabulary.

    `rank` counts from 1. `probability` is the plain softmax of the logits; `sampled_probability`
    is what remains of it after the sampler settings (0 when cut), and `cut` names the step that
    removed the token.
    """

    rank: int
    token: Token
    probability: float
    logit: float
    sampled_probability: float
    cut: Cut | None = None

    @property
    def surprisal_bits(self) -> float:
        """-log2 p: how surprising this token would be (Shannon 1948); NaN where p is not told."""
        if math.isnan(self.probability):
            return math.nan
        return -math.log2(self.probability) if self.probability > 0 else math.inf


class Distribution(msgspec.Struct, frozen=True):
    """The model's answer to "what comes next?" at one position.

    `position` is the number of tokens read before this answer. `rows` are the most probable
    tokens, in order of rank; `kept` is how many tokens of the whole vocabulary the sampler
    settings leave to draw from; `drawn` is the token that the sampler picks here with the
    session's seed, wherever it ranks.

    Of a model elsewhere only the rows are known that its server shows: `vocabulary_size` is 0,
    `entropy_bits` is the least that it can be, and what is `kept` is of those rows.
    `hidden_probability` is that of all tokens it does not show, however many they are.
    `drawn_elsewhere`: the server drew, and says what.
    """

    position: int
    vocabulary_size: int
    entropy_bits: float
    sampled_entropy_bits: float
    kept: int
    rows: tuple[Row, ...]
    drawn: Row
    drawn_elsewhere: bool = False
    hidden_probability: float = 0.0

    @property
    def left_out(self) -> float:
        """How much probability the rows leave out, hidden or only further down."""
        return max(0.0, 1.0 - sum(row.probability for row in self.rows))

    @property
    def partial(self) -> bool:
        """Whether there is more than the rows, of which nothing is told."""
        return self.vocabulary_size == 0


class ChatMessage(msgspec.Struct, frozen=True):
    role: Literal["system", "user", "assistant"]
    content: str


DEVICES = ("auto", "cpu", "cuda", "mps")  # what may be asked for: `tutor.lm.fast.device`


class ModelCard(msgspec.Struct, frozen=True):
    """What is known of a loaded model.

    `sha256` is that of the file it came from; `format` names the file's number format ("Q4_1"),
    `kernel` the way its weight matrices are multiplied on this machine ("int4", "fp32", ...),
    `device` where ("cpu", "cuda", "mps").

    A model elsewhere has a `host`, and `shows` so many tokens at a place (0: none; conversations
    can be read, and nothing stepped). What is inside it, nobody tells: those figures are 0.
    """

    name: str
    path: str
    sha256: str
    format: str
    kernel: str
    parameters: int
    layers: int
    heads: int
    width: int
    context: int
    vocabulary_size: int
    chat: bool
    end_ids: tuple[int, ...]
    device: str = "cpu"
    host: str = ""
    shows: int = 0

    @property
    def remote(self) -> bool:
        return bool(self.host)


class LensRow(msgspec.Struct, frozen=True):
    """What the network would say if it stopped after `layer` blocks (0: the embedding alone)."""

    layer: int
    top: Token
    top_probability: float
    target_probability: float


class XRay(msgspec.Struct, frozen=True):
    """Inside the forward pass of the token at `position` (counted from 0).

    `attention` holds float32 weights of shape [held, heads, position + 1], row-major: how much
    this token looked at itself and at each token before it; each row sums to 1. Of a short text
    all layers are held, of a long one those from `first_layer` on that one message has room for.
    `lens` follows the prediction of `target`, the token that came next, through the layers; for
    the last token of a text `target` is the model's own most probable next token.
    """

    position: int
    layers: int
    heads: int
    target: Token
    lens: tuple[LensRow, ...]
    first_layer: int
    attention: bytes

    @property
    def held(self) -> range:
        """The layers whose attention is there."""
        count = len(self.attention) // (4 * self.heads * (self.position + 1))
        return range(self.first_layer, self.first_layer + count)

    def weights(self, layer: int, head: int) -> memoryview[float]:
        """The attention weights of one head of a layer that is `held`: `position + 1` floats."""
        length = self.position + 1
        start = ((layer - self.first_layer) * self.heads + head) * length
        return memoryview(self.attention).cast("f")[start : start + length]

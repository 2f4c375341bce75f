"""Data types that the language model passes to the rest of the program.

This module doesn't import torch, because the app uses these types in a process that doesn't load
torch. Probabilities are between 0 and 1, logits are the network's raw scores, and entropy and
surprisal are in bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import msgspec

from tutor.errors import SamplerError


class Token(msgspec.Struct, frozen=True):
    """One entry of the vocabulary.

    `data` contains the token's exact bytes, which need not be valid UTF-8 on their own. `text` is
    the decoded text, with U+FFFD for invalid bytes. A `special` token, such as `<|im_end|>`, is
    never produced from ordinary text.
    """

    id: int
    text: str
    data: bytes
    special: bool = False


def common_length(one: Iterable[object], other: Iterable[object]) -> int:
    """Return the length of the common prefix of two sequences."""
    length = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        length += 1
    return length


class SamplerSettings(msgspec.Struct, frozen=True):
    """The settings for drawing one token from a distribution.

    They are applied in this order: temperature, top-k, top-p, min-p. With a `temperature` of 0,
    sampling is greedy: the most probable token is always chosen. A `top_k` of 0, a `top_p` of 1 and
    a `min_p` of 0 switch those steps off.
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
            raise SamplerError(
                f"Top-p is {self.top_p}.", "Use a number above 0 and at most 1 (off)."
            )
        if not (math.isfinite(self.min_p) and 0 <= self.min_p <= 1):
            raise SamplerError(f"Min-p is {self.min_p}.", "Use a number from 0 (off) to 1.")

    @property
    def greedy(self) -> bool:
        """Return True if the sampler always chooses the most probable token."""
        return self.temperature == 0

    @property
    def plain(self) -> bool:
        """Return True if the settings leave the model's probabilities unchanged."""
        return self == SamplerSettings()


PLAIN = SamplerSettings()

Cut = Literal["greedy", "top-k", "top-p", "min-p"]


class Row(msgspec.Struct, frozen=True):
    """One token in a distribution over the whole vocabulary.

    `rank` counts from 1. `probability` is the softmax of the logits. `sampled_probability` is the
    probability with the sampler settings applied (0 if the token was removed), and `cut` names the
    step that removed the token.
    """

    rank: int
    token: Token
    probability: float
    logit: float
    sampled_probability: float
    cut: Cut | None = None

    @property
    def surprisal_bits(self) -> float:
        """Return the surprisal -log2 p in bits (Shannon 1948), or NaN if p is unknown."""
        if math.isnan(self.probability):
            return math.nan
        return -math.log2(self.probability) if self.probability > 0 else math.inf


class Distribution(msgspec.Struct, frozen=True):
    """The model's prediction of the next token at one position.

    `position` is the number of tokens before the predicted token. `rows` are the most probable
    tokens, in order of rank. `kept` is the number of tokens in the vocabulary that the sampler can
    still choose. `drawn` is the token that the sampler draws at this position with the given seed;
    it is not necessarily among the `rows`.

    For a remote model, only the tokens that its server returns are known. In this case,
    `vocabulary_size` is 0, `entropy_bits` is a lower bound, and `kept` counts only known tokens.
    `hidden_probability` is the total probability of all tokens that the server does not return.
    `drawn_elsewhere` is True if the server drew the token.
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
        """Return the total probability of the tokens that are not in `rows`."""
        return max(0.0, 1.0 - sum(row.probability for row in self.rows))

    @property
    def partial(self) -> bool:
        """Return True if the tokens outside `rows` are unknown, as with a remote model."""
        return self.vocabulary_size == 0


class ChatMessage(msgspec.Struct, frozen=True):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


DEVICES = ("auto", "cpu", "cuda", "mps")  # the values of `--device`; see `tutor.lm.fast.device`


class ModelCard(msgspec.Struct, frozen=True):
    """The description of a loaded model.

    `sha256` is the checksum of the model file. `format` is the file's number format ("Q4_1"),
    `kernel` lists the kernels that multiply the weight matrices on this machine ("int4", "fp32",
    ...), and `device` is the device that the model runs on ("cpu", "cuda", "mps").

    `host` is set only for a remote model. `shows` is the number of tokens per position whose
    probabilities its server returns; if it is 0, you can chat with the model but not step through
    its text. The sizes of a remote model are unknown and therefore 0.
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
    def base_name(self) -> str:
        """Return the model's name without its number format, such as "SmolLM2-135M-Instruct"."""
        return self.name.removesuffix(f".{self.format}")

    @property
    def remote(self) -> bool:
        """Return True if the model runs on another machine."""
        return bool(self.host)


class LensRow(msgspec.Struct, frozen=True):
    """The prediction of a network that stops after `layer` blocks (0: after the embedding)."""

    layer: int
    top: Token
    top_probability: float
    target_probability: float


class RoutedExpert(msgspec.Struct, frozen=True, array_like=True):
    """An expert that processed a token: its index, from 0, and the weight of its output.

    The index is None for a shared expert, which processes every token.
    """

    expert: int | None
    weight: float


class XRay(msgspec.Struct, frozen=True):
    """The attention and the logit lens of the token at `position` (counted from 0).

    `attention` contains float32 weights of shape [held, heads, position + 1] in row-major order. A
    weight is the amount of attention that this token pays to itself or to an earlier token. Each
    row sums to 1. For a long text, not all layers fit into one message; `held` is the range of
    layers that are included, starting at `first_layer`.

    `lens` contains the probability of `target` after each layer. `target` is the next token of the
    text or, at the end of the text, the model's most probable next token.

    If the model is a mixture of experts, `experts` is the number of experts in a layer, and
    `routes` contains the experts that processed the token in each layer, the highest weight first.
    """

    position: int
    layers: int
    heads: int
    target: Token
    lens: tuple[LensRow, ...]
    first_layer: int
    attention: bytes
    experts: int = 0
    routes: tuple[tuple[RoutedExpert, ...], ...] = ()

    @property
    def held(self) -> range:
        """Return the range of layers whose attention this x-ray contains."""
        count = len(self.attention) // (4 * self.heads * (self.position + 1))
        return range(self.first_layer, self.first_layer + count)

    def weights(self, layer: int, head: int) -> memoryview[float]:
        """Return the attention weights of one head: `position + 1` floats.

        `layer` must be in `held`.
        """
        length = self.position + 1
        start = ((layer - self.first_layer) * self.heads + head) * length
        return memoryview(self.attention).cast("f")[start : start + length]

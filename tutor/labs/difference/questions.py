"""The requests of the "A against B" lab, and the responses."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.labs.kit.next_tokens.row import NextRow
from tutor.labs.kit.progress import Coming, Progress
from tutor.lm import attribution
from tutor.lm.comparison import PositionPair
from tutor.lm.distribution import SamplerSettings, Token

MOST_TOKENS = 128
"""The maximum number of tokens of each text. Longer texts are truncated, and the screen shows a
note."""

LISTED = 20
"""The number of top tokens listed for each position, in each of three rankings: by probability in
A, by probability in B, and by change. A token in several rankings is listed once."""

PRECISIONS: tuple[Literal[32, 16, 8, 4, 3, 2], ...] = (32, 16, 8, 4, 3, 2)
"""The available precisions of the weights, in bits."""

FEED_FORWARD = -1
"""The `Part.head` that stands for a layer's feed-forward network."""


class Text(msgspec.Struct, frozen=True):
    """A text that the learner typed, or a text from the stepper.

    A text from the stepper can contain special tokens, or tokens that the tokenizer would not
    choose. So `ids` contains its token ids, and `model` the checksum of the model that they belong
    to.
    """

    text: str
    ids: tuple[int, ...] = ()
    model: str = ""


class Part(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A part of the network: a head, or the layer's feed-forward network if `head` is -1.

    `layer` and `head` are counted from 0.
    """

    layer: int
    head: int

    @property
    def name(self) -> str:
        """The part's name as in `tutor diff`, where layers and heads start at 1."""
        return attribution.Part(self.layer, None if self.head == FEED_FORWARD else self.head).option


class OtherText(msgspec.Struct, frozen=True, tag=True):
    """A setup in which B processes a different text."""

    text: str


class OtherSampler(msgspec.Struct, frozen=True, tag=True):
    """A setup in which B has different sampler settings."""

    settings: SamplerSettings


class PartsOff(msgspec.Struct, frozen=True, tag=True):
    """A setup in which these parts are switched off in B. Parts that don't exist are ignored."""

    parts: tuple[Part, ...]


class Rounded(msgspec.Struct, frozen=True, tag=True):
    """A setup in which the weights of all blocks are rounded to `bits` bits in B."""

    bits: Literal[32, 16, 8, 4, 3, 2]


class OtherModel(msgspec.Struct, frozen=True, tag=True):
    """A setup in which B is the installed model with this name."""

    name: str


class Tuned(msgspec.Struct, frozen=True, tag=True):
    """A setup in which A is the bundled base model, and B is the instruct model made from it.

    Instead of A's text, both models process the question in the chat template, followed by the
    instruct model's answer.
    """

    question: str


Difference = OtherText | OtherSampler | PartsOff | Rounded | OtherModel | Tuned
"""The difference between A and B. Except with `Tuned`, everything else is the same."""


class Compare(msgspec.Struct, frozen=True, tag=True):
    """A request to compare A and B at each pair of positions, starting with pair number `first`.

    `a` and `sampler` are the text and the sampler settings of A.
    """

    a: Text
    sampler: SamplerSettings
    b: Difference
    first: int = 0


class Others(msgspec.Struct, frozen=True, tag=True):
    """A request for the installed models with the same vocabulary as the loaded model."""


class Scan(msgspec.Struct, frozen=True, tag=True):
    """A request to switch off each part of the network in A, starting with part number `first`.

    The response contains the effects. The parts are numbered from 0, layer by layer. In each layer,
    the heads come first, then the feed-forward network.
    """

    a: Text
    sampler: SamplerSettings
    first: int = 0


Question = Compare | Others | Scan


class Setup(msgspec.Struct, frozen=True):
    """The texts, the network and the positions of a comparison.

    Attributes:
        model: The name of A's model.
        layers: The number of layers in the loaded model's network.
        heads: The number of heads in each layer of the loaded model's network.
        tokens_a: The tokens of A's text.
        tokens_b: The tokens of B's text.
        left_out: The total number of tokens that were cut from the two texts. If both have the same
            text, its tokens are counted once.
        left_out_b: The number of these tokens that were cut from B's own text.
        places: The pairs of positions at which A and B are compared.
        written: With `Tuned`, the text that each model writes after the question, A first.
    """

    model: str
    layers: int
    heads: int
    tokens_a: tuple[Token, ...]
    tokens_b: tuple[Token, ...]
    left_out: int
    places: tuple[PositionPair, ...]
    written: tuple[str, str] = ("", "")
    left_out_b: int = 0


class Compared(msgspec.Struct, frozen=True, array_like=True):
    """A and B at one pair of positions.

    Attributes:
        bits: KL(A || B) in bits.
        reverse_bits: KL(B || A) in bits.
        rows: The most probable tokens of A and of B, and the tokens that change most. `before` is
            the probability in A, and `after` in B, both after the sampler settings.
    """

    bits: float
    reverse_bits: float
    rows: tuple[NextRow, ...]


class Slice(msgspec.Struct, frozen=True, tag=True):
    """The comparison at consecutive pairs of positions, starting with the request's `first`."""

    setup: Setup
    compared: tuple[Compared, ...]


class Effects(msgspec.Struct, frozen=True, tag=True):
    """The effects of consecutive parts: for each part, KL(A || B) in bits at each position.

    B is A with only this part switched off. The first part is the one that `Scan` requested.
    """

    bits: tuple[tuple[float, ...], ...]


class Installed(msgspec.Struct, frozen=True, tag=True):
    """The names of the installed models with the same vocabulary."""

    names: tuple[str, ...]


class Refused(msgspec.Struct, frozen=True, tag=True):
    """The response if B cannot be computed. `why` is the reason."""

    why: str


Answer = Slice | Effects | Installed | Refused | Coming | Progress

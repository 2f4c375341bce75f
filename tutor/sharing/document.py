"""A shared text: its tokens and branches, the distributions, and the settings.

docs/share-format.md describes every field of version 1. A reader ignores fields that it doesn't
know. New fields must therefore be optional, and a change that older readers would misunderstand
needs a new version.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta

from tutor.lm.distribution import PLAIN, Cut, SamplerSettings, Token
from tutor.lm.saved_steering import Applied, SavedVector
from tutor.lm.token_tree import Branch, How, Step, TokenTree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tutor.lm.attribution import Attribution
    from tutor.lm.distribution import Distribution, ModelCard, Row

FORMAT: Final = "tutor-text"
VERSION = 1
_MOST_SHARED = 500
"""The maximum number of distributions to compute for a text that is saved."""

Hex = Annotated[str, Meta(pattern=r"\A(?:[0-9a-f]{2})*\Z")]
Id = Annotated[int, Meta(ge=-(2**31), lt=2**31)]
Count = Annotated[int, Meta(ge=0, lt=2**53)]
Index = Annotated[int, Meta(ge=0, lt=2**31)]
Chosen = Literal["prompt", "sampled", "chosen"]
"""How a token was chosen: it is part of the prompt, the sampler drew it, or the user chose it."""

_CHOSEN: dict[How, Chosen] = {"prompt": "prompt", "drawn": "sampled", "taken": "chosen"}
_HOW: dict[Chosen, How] = {chosen: how for how, chosen in _CHOSEN.items()}


class SharedModel(msgspec.Struct, frozen=True, kw_only=True):
    """The model that computed the numbers. `host` is set only for a remote model."""

    name: str
    sha256: str = ""
    format: str = ""
    kernel: str = ""
    device: str = ""
    host: str = ""

    @classmethod
    def of(cls, card: ModelCard) -> SharedModel:
        return cls(
            name=card.name,
            sha256=card.sha256,
            format=card.format,
            kernel=card.kernel,
            device=card.device,
            host=card.host,
        )

    @property
    def key(self) -> str:
        """The string that identifies this model in saved texts."""
        return self.sha256 or self.name


class SharedToken(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A token. `hex` contains its bytes in hexadecimal; in JSON, this field is named `bytes`.

    `text` is only for people who read the file.
    """

    id: Id
    hex: Hex = msgspec.field(name="bytes")
    text: str = ""
    special: bool = False

    @property
    def data(self) -> bytes:
        return bytes.fromhex(self.hex)

    def token(self) -> Token:
        return Token(self.id, self.data.decode("utf-8", "replace"), self.data, self.special)


class SharedStep(SharedToken, frozen=True, kw_only=True, omit_defaults=True):
    """A token of a branch. `surprisal_bits` is None if it is unknown."""

    how: Chosen
    surprisal_bits: float | None = None

    @classmethod
    def of(cls, step: Step) -> SharedStep:
        token = step.token
        return cls(
            id=token.id,
            hex=token.data.hex(),
            text=token.text,
            special=token.special,
            how=_CHOSEN[step.how],
            surprisal_bits=step.known_bits,
        )

    def step(self) -> Step:
        """Return the step without its surprisal, which is computed again."""
        return Step(self.token(), _HOW[self.how])


class SharedRow(SharedToken, frozen=True, kw_only=True, omit_defaults=True):
    """A row of a distribution. A number is None if a server does not report it."""

    rank: Count
    probability: float | None = None
    logit: float | None = None
    sampled_probability: float | None = None
    cut: Cut | None = None

    @classmethod
    def of(cls, row: Row) -> SharedRow:
        return cls(
            id=row.token.id,
            hex=row.token.data.hex(),
            text=row.token.text,
            special=row.token.special,
            rank=row.rank,
            probability=_known(row.probability),
            logit=_known(row.logit),
            sampled_probability=_known(row.sampled_probability),
            cut=row.cut,
        )


class SharedDistribution(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The prediction after the first `position` tokens of the current branch."""

    position: Count
    vocabulary_size: Count
    entropy_bits: float | None
    sampled_entropy_bits: float | None
    kept: Count
    rows: tuple[SharedRow, ...]
    drawn: SharedRow | None = None
    hidden_probability: float = 0.0

    @classmethod
    def of(cls, found: Distribution) -> SharedDistribution:
        return cls(
            position=found.position,
            vocabulary_size=found.vocabulary_size,
            entropy_bits=_known(found.entropy_bits),
            sampled_entropy_bits=_known(found.sampled_entropy_bits),
            kept=found.kept,
            rows=tuple(map(SharedRow.of, found.rows)),
            drawn=SharedRow.of(found.drawn),
            hidden_probability=found.hidden_probability,
        )


class SharedBranch(msgspec.Struct, frozen=True, kw_only=True):
    """One continuous text, from its first token to its last."""

    number: Annotated[int, Meta(ge=1, le=9)]
    seed: int
    tokens: Annotated[tuple[SharedStep, ...], Meta(min_length=1)]


class SharedIntervention(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change to the network while it computed, such as a steering vector or an ablated head.

    With the kind "steering", `vector` is added to the residual stream, multiplied by `strength`.
    """

    kind: str
    description: str = ""
    layer: int | None = None
    head: int | None = None
    strength: float | None = None
    vector: SavedVector | None = None

    @classmethod
    def of_steering(cls, applied: Applied) -> SharedIntervention:
        return cls(
            kind="steering",
            description=applied.said,
            layer=applied.vector.layer,
            strength=applied.strength,
            vector=applied.vector,
        )

    @property
    def applied(self) -> Applied | None:
        """The steering, or None for another kind of intervention."""
        if self.kind != "steering" or self.vector is None or self.strength is None:
            return None
        return Applied(self.vector, self.strength)


class SharedAttribution(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The direct contributions to the logit of `target` after `position` tokens.

    If there is a token `against`, they are contributions to the difference of the two logits.
    `heads` has the shape [layers][heads], and `feed_forward` the shape [layers]. `steering` is the
    contribution of the vector that steers the network, or 0. `bias` is the contribution of learned
    vectors that some model families add, or 0.
    """

    position: Count
    target: SharedToken
    against: SharedToken | None = None
    logit: float
    embedding: float
    heads: tuple[tuple[float, ...], ...]
    feed_forward: tuple[float, ...]
    steering: float = 0.0
    bias: float = 0.0

    @classmethod
    def of(cls, position: int, found: Attribution) -> SharedAttribution:
        return cls(
            position=position,
            target=_shared(found.target),
            against=_shared(found.against) if found.against else None,
            logit=found.logit,
            embedding=found.embedding,
            heads=found.heads,
            feed_forward=found.feed_forward,
            steering=found.steering,
            bias=found.bias,
        )


class SharedXRay(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The x-ray that was open when the text was saved.

    It showed the token before `position`, in the view with the name `view`. `layer` and `head` are
    the layer and head that the learner has selected. `target` is the id of the token whose logit is
    explained, if it is not the token that follows. `against` is the id of the token that it is
    compared with. `row` and `column` are selected in the view. Layers, heads, rows and columns are
    counted from 0. `toggled` is true if the attention is sorted by weight, or if the lens shows
    every layer.
    """

    position: Annotated[int, Meta(ge=1, lt=2**31)]
    view: str
    layer: Index | None = None
    head: Index | None = None
    target: Id | None = None
    against: Id | None = None
    row: Index | None = None
    column: Index | None = None
    toggled: bool = False


class SharedText(msgspec.Struct, frozen=True, kw_only=True):
    """A text or conversation with everything that the stepper shows about it.

    `branches` are in the order in which they were created, and `branch` is the number of the
    current one. `distributions` belong to the current branch. The focus of the stepper is after the
    first `position` tokens of this branch.
    """

    format: Literal["tutor-text"] = FORMAT
    version: Count = VERSION
    tutor: str = ""
    model: SharedModel
    mode: Literal["text", "chat"] = "text"
    sampler: SamplerSettings = PLAIN
    branch: int
    position: Count
    branches: Annotated[tuple[SharedBranch, ...], Meta(min_length=1, max_length=9)]
    distributions: tuple[SharedDistribution, ...] = ()
    interventions: tuple[SharedIntervention, ...] = ()
    attributions: tuple[SharedAttribution, ...] = ()
    xray: SharedXRay | None = None

    @property
    def current(self) -> SharedBranch:
        return next(each for each in self.branches if each.number == self.branch)

    def tree(self) -> TokenTree:
        """Return the token tree of the text, without surprisals."""
        branches = tuple(
            Branch(each.number, each.seed, tuple(step.step() for step in each.tokens))
            for each in self.branches
        )
        return TokenTree(branches, self.branch, self.position)

    @property
    def steering(self) -> Applied | None:
        """The vector that steered the network, or None."""
        return next((each.applied for each in self.interventions if each.applied), None)

    def to_json(self) -> bytes:
        """Return the text as human-readable JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"


def shared_positions(tokens: int) -> range:
    """Return the positions in a text at which distributions are computed.

    These are the last `_MOST_SHARED` positions. `tokens` is the number of tokens of the text, and
    position n is after n tokens.
    """
    return range(max(1, tokens + 1 - _MOST_SHARED), tokens + 1)


def shared_text(
    tree: TokenTree,
    model: ModelCard,
    distributions: Iterable[Distribution],
    *,
    mode: Literal["text", "chat"],
    sampler: SamplerSettings,
    steering: Applied | None = None,
    xray: SharedXRay | None = None,
    attribution: Attribution | None = None,
    tutor: str = "",
) -> SharedText:
    """Convert a token tree to a shared text.

    The distributions belong to the current branch of `tree`. `xray` describes the open x-ray, and
    `attribution` contains the contributions to the logit that it explains, if they are known.
    """
    return SharedText(
        tutor=tutor,
        model=SharedModel.of(model),
        mode=mode,
        sampler=sampler,
        branch=tree.number,
        position=tree.focus,
        branches=tuple(
            SharedBranch(
                number=each.number, seed=each.seed, tokens=tuple(map(SharedStep.of, each.steps))
            )
            for each in tree.branches
        ),
        distributions=tuple(map(SharedDistribution.of, distributions)),
        interventions=(SharedIntervention.of_steering(steering),) if steering else (),
        attributions=(SharedAttribution.of(xray.position, attribution),)
        if xray is not None and attribution is not None
        else (),
        xray=xray,
    )


def _shared(token: Token) -> SharedToken:
    return SharedToken(id=token.id, hex=token.data.hex(), text=token.text, special=token.special)


def _known(number: float) -> float | None:
    """Return the number, or None for NaN and infinity, which JSON does not have."""
    return number if math.isfinite(number) else None

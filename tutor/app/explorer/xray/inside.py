"""The requests that the x-ray sends to the engine, one at a time, and their results.

Requests can be compared, so that the x-ray can tell whether the running request is still the
request that it needs. A request does not contain the token that it is about. The token is part of
the `Findings` in which the request stores its result. This module does not depend on a screen,
because plain mode sends the same requests.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, Protocol

from tutor.lm.attribution import Attribution, Occlusion
from tutor.lm.distribution import LensRow, Row, Token, XRay, common_length
from tutor.lm.saved_steering import Applied

BINS = 64
"""The maximum number of values in a strip. Longer lists of attention weights are binned."""


class Network(NamedTuple):
    """The network that the x-ray shows.

    `model` is the checksum of the model, and `steering` is the vector that steers it, if any.
    """

    model: str = ""
    steering: Applied | None = None


class Inside(Protocol):
    """An interface to the internals of the model, at the token at `position` of `path`.

    Positions, layers and heads are counted from 0. The target logit is the logit of `target` or,
    with `against`, the logit of `target` minus the logit of `against`.
    """

    @property
    def network(self) -> Network:
        """The network that computes the results, which are not valid for any other network."""
        ...

    async def xray(
        self, path: Sequence[Token], position: int, layer: int, neighbors: bool = True
    ) -> XRay: ...

    async def attribution(
        self, path: Sequence[Token], position: int, target: int | None, against: int | None
    ) -> Attribution: ...

    async def sources(
        self,
        path: Sequence[Token],
        position: int,
        layer: int,
        head: int | None,
        target: int | None,
        against: int | None,
    ) -> tuple[float, ...]: ...

    async def occlusion(
        self,
        path: Sequence[Token],
        position: int,
        index: int,
        target: int | None,
        against: int | None,
    ) -> Occlusion: ...

    async def candidates(
        self, path: Sequence[Token], position: int, query: str, limit: int
    ) -> tuple[Sequence[Row], str]: ...


@dataclass
class ChosenHead:
    """The head whose attention is shown, counted from 0.

    Until the learner chooses a head, this is the head that contributes most to the target logit.
    """

    layer: int = 0
    head: int = 0
    by_learner: bool = False

    def choose(self, layer: int, head: int, layers: int, heads: int) -> None:
        """Remember the learner's choice, or the nearest head that exists."""
        self.layer, self.head, self.by_learner = layer, head, True
        self.fit(layers, heads)

    def fit(self, layers: int, heads: int) -> None:
        """Choose the nearest head that a network of this size has."""
        self.layer = min(max(0, self.layer), layers - 1)
        self.head = min(max(0, self.head), heads - 1)

    def suggest(self, found: Attribution) -> None:
        """Select the head that contributes most to the logit, unless the learner has chosen one."""
        if not self.by_learner:
            every = (
                (logits, layer, head)
                for layer, heads in enumerate(found.heads)
                for head, logits in enumerate(heads)
            )
            __, self.layer, self.head = max(every, key=lambda each: each[0])


class Strip(NamedTuple):
    """One head's attention as at most `BINS` values, and the token that it attends to most."""

    values: Sequence[float]
    top: int
    weight: float


def strip_of(weights: Sequence[float]) -> Strip:
    """Return a head's attention weights as a strip."""
    top = max(range(len(weights)), key=weights.__getitem__)
    return Strip(array("f", squeezed(weights, BINS)), top, weights[top])


def squeezed(values: Sequence[float], most: int) -> list[float]:
    """Reduce `values` to at most `most` values, each of which is the maximum of a bin."""
    count = len(values)
    bins = min(most, count)
    edges = [number * count // bins for number in range(bins + 1)]
    return [max(values[a:b]) for a, b in pairwise(edges)]


@dataclass(eq=False)
class Findings:
    """Everything that is known about the token at `position` of `path` in one network.

    `target` is the id of the token to explain, or None for the most probable next token. `against`
    is the id of the token to compare it with, if there is one. `lens` contains the logit lens of
    each position, as far as it is known. `sources` contains, by layer and head, how much of the
    head's contribution comes from each token. If the head is None, the amounts are summed over all
    heads of the layer.
    """

    path: tuple[Token, ...]
    position: int
    network: Network
    target: int | None = None
    against: int | None = None
    xray: XRay | None = None
    attribution: Attribution | None = None
    lens: dict[int, tuple[LensRow, ...]] = field(default_factory=dict)
    sources: dict[tuple[int, int | None], tuple[float, ...]] = field(default_factory=dict)
    occlusions: dict[int, Occlusion] = field(default_factory=dict)
    _strips: dict[int, tuple[Strip, ...]] = field(default_factory=dict)

    @classmethod
    def at(
        cls,
        path: Sequence[Token],
        position: int,
        network: Network,
        before: Findings | None = None,
    ) -> Findings:
        """Return new findings that explain the token after `position` in the text.

        If the network is the same, the logit lens in `before` is kept for all tokens that both
        texts have in common. If only the steering has changed, the same token is explained as
        before.
        """
        new = cls(tuple(path), position, network, following(path, position))
        if before is None:
            return new
        if before.network == network:
            same = common_length((each.id for each in before.path), (each.id for each in path))
            new.lens = {at: rows for at, rows in before.lens.items() if at < same}
            return new
        same_model = before.network.model == network.model
        if same_model and (before.path, before.position) == (new.path, position):
            new.target, new.against = before.target, before.against
        return new

    def explaining(self, target: int | None, against: int | None) -> Findings:
        """Return the findings that remain valid when another token is explained."""
        return Findings(
            self.path,
            self.position,
            self.network,
            target,
            against,
            xray=self.xray,
            lens=self.lens,
            _strips=self._strips,
        )

    @property
    def token(self) -> Token:
        """The token at `position`."""
        return self.path[self.position]

    @property
    def tokens(self) -> Sequence[Token]:
        """The tokens up to `position`, from which the prediction is made."""
        return self.path[: self.position + 1]

    @property
    def explained(self) -> tuple[int | None, int | None]:
        """The ids of the target token and of the token it is compared with."""
        found = self.attribution
        return (self.target if found is None else found.target.id), self.against

    @property
    def explains_another(self) -> bool:
        """True if the learner has chosen the token to explain, or a token to compare it with."""
        return (self.target, self.against) != (following(self.path, self.position), None)

    @property
    def direct(self) -> list[float] | None:
        """The contribution of each token through all heads, or None while it is unknown."""
        found = self.attribution
        if found is None:
            return None
        layers = [self.sources.get((layer, None)) for layer in range(len(found.heads))]
        known = [each for each in layers if each is not None]
        if len(known) < len(layers):
            return None
        return [sum(amounts) for amounts in zip(*known, strict=True)]

    def strips(self, layer: int) -> tuple[Strip, ...] | None:
        """Return the strips of a layer's heads, or None if its attention is unknown."""
        xray = self.xray
        if layer not in self._strips and xray is not None and layer in xray.held:
            self._strips[layer] = tuple(
                strip_of(xray.weights(layer, head)) for head in range(xray.heads)
            )
        return self._strips.get(layer)


def following(path: Sequence[Token], position: int) -> int | None:
    """Return the id of the token after a position, or None at the end of the text."""
    return path[position + 1].id if position + 1 < len(path) else None


# --- requests ---------------------------------------------------------------------------------


class Request(Protocol):
    """One request to the engine, which takes a fraction of a second."""

    async def run(self, inside: Inside, found: Findings) -> None:
        """Send the request, and store its result in `found`. Raises `TutorError`."""
        ...


@dataclass(frozen=True)
class AskXRay:
    """Request the logit lens, and the attention weights of a layer and its neighbors."""

    layer: int

    async def run(self, inside: Inside, found: Findings) -> None:
        found.xray = await inside.xray(found.path, found.position, self.layer)
        found.lens[found.position] = found.xray.lens


@dataclass(frozen=True)
class AskLens:
    """Request the logit lens at any position, with the attention weights of only one layer."""

    position: int

    async def run(self, inside: Inside, found: Findings) -> None:
        xray = await inside.xray(found.path, self.position, 0, neighbors=False)
        found.lens[self.position] = xray.lens


@dataclass(frozen=True)
class AskAttribution:
    """Request the contributions of the network's parts to the target logit."""

    async def run(self, inside: Inside, found: Findings) -> None:
        found.attribution = await inside.attribution(
            found.path, found.position, found.target, found.against
        )


@dataclass(frozen=True)
class AskSources:
    """Request how much of the contribution of a head, or a layer, comes from each token."""

    layer: int
    head: int | None = None

    async def run(self, inside: Inside, found: Findings) -> None:
        found.sources[self.layer, self.head] = await inside.sources(
            found.path, found.position, self.layer, self.head, *found.explained
        )


@dataclass(frozen=True)
class AskOcclusion:
    """Request how much the target logit changes when one token is removed."""

    index: int

    async def run(self, inside: Inside, found: Findings) -> None:
        found.occlusions[self.index] = await inside.occlusion(
            found.path, found.position, self.index, *found.explained
        )

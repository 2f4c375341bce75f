"""The state of the "Steering" lab."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.labs.kit.progress import Progress
from tutor.labs.kit.reply import Reply
from tutor.labs.steer.pairs import Lists, Pair, Words, pairs
from tutor.labs.steer.questions import (
    BASE,
    STEP,
    AboutFiles,
    Compared,
    Effect,
    Entry,
    GridPoint,
    Make,
    at,
)

View = Literal["next", "text", "cost", "layers", "saved"]
VIEWS: tuple[View, ...] = ("next", "text", "cost", "layers", "saved")

LAYER = 7
"""The index of the layer that is selected at first."""
TURNS = 16
"""The maximum setting of the strength dial. The minimum is `-TURNS`."""
GRID = tuple(range(-12, 13, 2))
"""The settings of the dial at which the cost is measured: strengths -3 to 3."""
ONE = round(1 / STEP)
"""The setting of the dial for strength 1."""
LENGTH = 40
"""The number of tokens in a continuation."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        pair: The index of the selected pair of lists.
        text: The learner's own prompt, or "" for the pair's prompt.
        own: The learner's own lists, or None for the pair's lists.
        own_words: The learner's own sets of words, or None for the pair's sets.
        layer: The block after which the vector is added, counted from 0.
        dial: The setting of the strength dial. The strength is `dial` * `STEP`.
        greedy: True if the continuations always take the most probable token.
        seed: The seed of the continuations, if they are sampled.
        stopped: True if the learner has stopped the current measurement.
        layers: The number of layers in the network, or 0 until it is known.
        next: The next-token probabilities for the current settings.
        effects: The effects measured so far with these lists and this prompt.
        costs: The perplexities of the neutral text measured so far with these lists.
        written: The continuations at the current layer, by dial setting.
        saved: The list of saved vectors, or None until it is known.
        row: The index of the selected saved vector.
        pending: The requests to save, delete or restore vectors that have not been answered yet,
            oldest first.
        failed: The reason why a vector could not be saved, deleted or restored, or "".
    """

    view: View = "next"
    pair: int = 0
    text: str = ""
    own: Lists | None = None
    own_words: Words | None = None
    layer: int = LAYER
    dial: int = 0
    greedy: bool = True
    seed: int = 1
    stopped: bool = False
    layers: int = 0
    next: Compared | None = None
    effects: dict[GridPoint, Effect] = {}
    costs: dict[GridPoint, float] = {}
    written: dict[int, Reply] = {}
    saved: tuple[Entry, ...] | None = None
    row: int = 0
    pending: tuple[Make | AboutFiles, ...] = ()
    failed: str = ""
    progress: Progress | None = None

    @property
    def shipped(self) -> Pair:
        return pairs()[self.pair]

    @property
    def lists(self) -> Lists:
        return self.own or Lists(self.shipped.first_texts, self.shipped.second_texts)

    @property
    def words(self) -> Words:
        return self.own_words or Words(self.shipped.first_words, self.shipped.second_words)

    @property
    def prompt(self) -> str:
        return self.text or self.shipped.prompt

    @property
    def names(self) -> tuple[str, str]:
        """The names of the two sets of words."""
        if self.own_words is None:
            return self.shipped.first, self.shipped.second
        return self.own_words.first[0], self.own_words.second[0]

    @property
    def strength(self) -> float:
        return self.dial * STEP

    @property
    def spot(self) -> GridPoint:
        """The current layer and setting of the dial."""
        return at(self.layer, self.dial)

    @property
    def perplexities(self) -> tuple[float, float] | None:
        """The neutral text's perplexity without and with steering, or None until both are known."""
        if BASE not in self.costs or self.spot not in self.costs:
            return None
        return self.costs[BASE], self.costs[self.spot]

    @property
    def grid(self) -> tuple[GridPoint, ...]:
        """The points at which the current view needs measurements."""
        if self.view == "cost":
            return tuple(at(self.layer, dial) for dial in GRID)
        if self.view == "layers":
            dials = (-ONE, ONE)
            return tuple(GridPoint(layer, dial) for layer in range(self.layers) for dial in dials)
        return ()

    @property
    def missing(self) -> tuple[GridPoint, ...]:
        """The points in `grid` that have not been measured yet."""
        return tuple(
            spot
            for spot in self.grid
            if spot not in self.effects or (self.view == "cost" and spot not in self.costs)
        )

    @property
    def running(self) -> bool:
        """True while a measurement or a continuation is in progress."""
        return not self.stopped and self.unfinished

    @property
    def unfinished(self) -> bool:
        """True if the current view's measurement or continuations are not complete."""
        if self.view == "text":
            return any(not self.reply(dial).done for dial in (0, self.dial))
        return bool(self.missing)

    def reply(self, dial: int) -> Reply:
        """Return the continuation at this setting of the dial, which may be incomplete."""
        return self.written.get(dial, Reply(most=LENGTH))

"""The state of the "A against B" lab."""

from __future__ import annotations

import math
from statistics import fmean
from typing import Literal, assert_never

import msgspec

from tutor.labs.difference import questions
from tutor.labs.difference.questions import (
    FEED_FORWARD,
    PRECISIONS,
    Compared,
    Difference,
    Part,
    Setup,
    Text,
)
from tutor.labs.kit.actions import moved
from tutor.labs.kit.next_tokens.row import NextRow
from tutor.labs.kit.progress import Coming, Progress
from tutor.lm.comparison import Order, PositionPair
from tutor.lm.distribution import PLAIN, SamplerSettings

View = Literal["prompt", "sampler", "parts", "precision", "model", "tuning"]
VIEWS: tuple[View, ...] = ("prompt", "sampler", "parts", "precision", "model", "tuning")
"""The views, each named after what is different in B.

In "tuning", A and B are the bundled base and instruct models.
"""

END = 10_000 - 1
"""An index beyond the end of every text. It is replaced with the index of the last token."""

LEAST_ELSEWHERE = 0.05
"""A lower bound, in bits, for the mean effect at other positions. Without it, a part with tiny
effects everywhere could rank first."""

SAMPLER_B = SamplerSettings(temperature=0.8)
PRECISION = PRECISIONS.index(3)
"""The initial precision, which changes even the default model, whose weights have 4 bits."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        a: The text of A. It is also the text of B, except in the view "prompt".
        b: The text of B in the view "prompt".
        asked: The question to both models in the view "tuning".
        view: What is different in B.
        sampler: The sampler settings of A and, except in the view "sampler", of B.
        sampler_b: The sampler settings of B in the view "sampler".
        dial: The index of the selected sampler setting.
        layer: The layer of the selected part, counted from 0.
        part: The index of the selected part in its layer. The heads come first, then the
            feed-forward network.
        parts: The parts that are switched off in the view "parts".
        precision: The index of the number of bits in the view "precision".
        others: The names of the other models with the same vocabulary, or None if unknown.
        other: The name of B's model in the view "model", or None.
        place: The index of the selected token of A. A and B are compared after this token or, if
            they cannot be compared there, after the nearest one.
        order: The order of the rows.
        setup: The texts and positions that are compared, or None if not known yet.
        compared: The comparisons loaded so far, by index in `setup.places`.
        scanning: True if the learner wants to know the effects of all parts.
        scan: The effect of each part on A at each position, in bits (see `questions.Scan`).
        tried: The number of parts tried so far at this position, in the order of `strongest`.
        progress: The progress of the current request.
        refused: The reason why B cannot be computed.
    """

    a: Text = Text("When Mary and John went to the store, John gave a drink to")
    b: str = "When Mary and John went to the store, Mary gave a drink to"
    asked: str = "What is the capital of France?"
    view: View = "prompt"
    sampler: SamplerSettings = PLAIN
    sampler_b: SamplerSettings = SAMPLER_B
    dial: int = 0
    layer: int = 0
    part: int = 0
    parts: tuple[Part, ...] = ()
    precision: int = PRECISION
    others: tuple[str, ...] | None = None
    other: str | None = None
    place: int = END
    order: Order = "change"
    setup: Setup | None = None
    compared: tuple[Compared, ...] = ()
    scanning: bool = False
    scan: tuple[tuple[float, ...], ...] = ()
    tried: int = 0
    progress: Progress | Coming | None = None
    refused: str | None = None

    @property
    def difference(self) -> Difference | None:
        """The difference between A and B, or None if no model has been chosen for B."""
        match self.view:
            case "prompt":
                return questions.OtherText(self.b)
            case "sampler":
                return questions.OtherSampler(self.sampler_b)
            case "parts":
                return questions.PartsOff(self.parts)
            case "precision":
                return questions.Rounded(PRECISIONS[self.precision])
            case "model":
                return None if self.other is None else questions.OtherModel(self.other)
            case "tuning":
                return questions.Tuned(self.asked)
        assert_never(self.view)

    @property
    def same(self) -> bool:
        """True if nothing in B differs from A yet, as far as that is known without the model."""
        match self.view:
            case "prompt":
                return self.b == self.a.text
            case "sampler":
                return self.sampler_b == self.sampler
            case "parts":
                return not self.parts
            case "precision":
                return self.complete and not any(self.total_bits)
            case "model" | "tuning":
                return False
        assert_never(self.view)

    @property
    def focus(self) -> Part:
        heads = self.setup.heads if self.setup else self.part + 1
        return Part(self.layer, self.part if self.part < heads else FEED_FORWARD)

    @property
    def places(self) -> tuple[PositionPair, ...]:
        return self.setup.places if self.setup else ()

    @property
    def at(self) -> int:
        """The index in `setup.places` of the selected position."""
        places = self.places
        return moved(self.place - places[0].a + 1, 0, len(places)) if places else 0

    @property
    def complete(self) -> bool:
        """True if A and B have been compared at all positions."""
        return bool(self.compared) and len(self.compared) == len(self.places)

    @property
    def here(self) -> Compared | None:
        """The comparison at the selected position, or None if it is not known yet."""
        return self.compared[self.at] if self.at < len(self.compared) else None

    @property
    def largest(self) -> int:
        """The index of the position with the largest divergence so far."""
        return max(range(len(self.compared)), key=lambda at: self.compared[at].bits, default=0)

    @property
    def total_bits(self) -> tuple[float, float]:
        """The total divergence so far, as KL(A || B) and as KL(B || A), in bits."""
        return (
            math.fsum(each.bits for each in self.compared),
            math.fsum(each.reverse_bits for each in self.compared),
        )

    @property
    def part_count(self) -> int:
        """The number of parts in the network, or 0 until it is known."""
        return self.setup.layers * (self.setup.heads + 1) if self.setup else 0

    @property
    def scanned(self) -> bool:
        """True if the effects of all parts are known."""
        return bool(self.scan) and len(self.scan) == self.part_count

    @property
    def strongest(self) -> list[Part]:
        """The parts, sorted by how specific their effect is to the selected position.

        The sort key is the effect at this position, divided by the mean effect at all other
        positions. The list is empty until all effects are known.
        """
        setup = self.setup
        if setup is None or not self.scanned or self.view == "tuning":
            return []

        def effect(number: int) -> float:
            bits = list(self.scan[number])
            here = bits.pop(self.places[self.at].a - 1)
            found = here / max(LEAST_ELSEWHERE, fmean(bits) if bits else 0.0)
            return 0.0 if math.isnan(found) else found  # ∞ / ∞ is NaN.

        order = sorted(range(self.part_count), key=effect, reverse=True)
        places = [divmod(number, setup.heads + 1) for number in order]
        return [Part(layer, at if at < setup.heads else FEED_FORWARD) for layer, at in places]

    @property
    def rows(self) -> list[NextRow]:
        """The rows at the selected position, sorted by `order`."""
        rows = self.here.rows if self.here else ()
        if self.order == "change":
            return sorted(rows, key=lambda row: -abs(row.after - row.before))
        return sorted(rows, key=lambda row: (-row.before, -row.after))

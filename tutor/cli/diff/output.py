"""Print the results of `tutor diff`.

The output is JSON (`docs/diff-json.md`) or plain text that works with a screen reader.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from tutor.cli import output
from tutor.cli.step.output import JsonModel, in_a_row, percent
from tutor.language import _
from tutor.lm.comparison import Comparison, PairedRow, PositionDivergence, PositionPair
from tutor.lm.distribution import PLAIN, Row, SamplerSettings, Token
from tutor.text import counted, visible

if TYPE_CHECKING:
    from tutor.lm.divergence import Side

_ARROWS = {1: "▲", -1: "▼", 0: " "}


class JsonSide(msgspec.Struct, frozen=True):
    """One side of the comparison: its model, text, sampler settings, and switched-off parts."""

    model: JsonModel
    kernel: str
    prompt_ids: tuple[int, ...]
    sampler: SamplerSettings
    without: tuple[str, ...]

    @classmethod
    def of(cls, side: Side, without: Sequence[str] = ()) -> JsonSide:
        """Describe a side. `without` names the parts that are switched off."""
        card = side.session.model.card
        model = JsonModel.of(card)
        return cls(model, card.kernel, side.session.ids, side.sampler, tuple(without))

    @property
    def described(self) -> str:
        """Return one line with the model, its sampler settings, and the changes to it."""
        parts = [_("{name} ({kernel})").format(name=self.model.name, kernel=self.kernel)]
        plain = msgspec.structs.asdict(PLAIN)
        for name, value in msgspec.structs.asdict(self.sampler).items():
            if value != plain[name]:
                parts.append(f"{name.replace('_', '-')} {value:g}")
        parts += [_("without {part}").format(part=part) for part in self.without]
        return ", ".join(parts)


class JsonProbability(msgspec.Struct, frozen=True):
    """A token's rank, probabilities and logit in one distribution.

    `probability` is the softmax of the logits, and `sampled_probability` the probability after the
    sampler settings are applied.
    """

    rank: int
    probability: float
    sampled_probability: float
    logit: float

    @classmethod
    def of(cls, row: Row) -> JsonProbability:
        return cls(row.rank, row.probability, row.sampled_probability, row.logit)


class JsonRow(msgspec.Struct, frozen=True):
    """One token in both distributions. `bytes` is in hexadecimal."""

    id: int
    text: str
    bytes: str
    a: JsonProbability
    b: JsonProbability
    change: float

    @classmethod
    def of(cls, row: PairedRow) -> JsonRow:
        a, b = JsonProbability.of(row.a), JsonProbability.of(row.b)
        return cls(row.token.id, row.token.text, row.token.data.hex(), a, b, row.change)


class JsonPlace(msgspec.Struct, frozen=True):
    """The divergence between A and B at one position. `kl_bits` is null if it is infinite."""

    place: PositionPair
    kl_bits: float


class JsonReport(msgspec.Struct, frozen=True):
    a: JsonSide
    b: JsonSide
    place: PositionPair
    kl_bits: float
    reverse_kl_bits: float
    rows: tuple[JsonRow, ...]
    along: tuple[JsonPlace, ...] | msgspec.UnsetType = msgspec.UNSET


def write_json(
    a: JsonSide, b: JsonSide, found: Comparison, along: Iterable[PositionDivergence] | None
) -> None:
    """Print the comparison as JSON. `along` has the divergence at each position, if requested."""
    places: tuple[JsonPlace, ...] | msgspec.UnsetType = msgspec.UNSET
    if along is not None:
        places = tuple(JsonPlace(each.place, each.bits) for each in along)
    rows = tuple(map(JsonRow.of, found.rows))
    bits, reverse = found.bits, found.reverse_bits
    output.write_json(JsonReport(a, b, found.place, bits, reverse, rows, places))


def write_heading(
    a: JsonSide, b: JsonSide, tokens_a: Sequence[Token], tokens_b: Sequence[Token]
) -> None:
    """Print the two sides of the comparison, with their settings and their tokens."""
    for letter, side, tokens in (("A", a, tokens_a), ("B", b, tokens_b)):
        output.write(f"{letter}: {side.described}")
        output.write(f"   {in_a_row(tokens)}")


def write_comparison(found: Comparison) -> None:
    output.write(
        _("\nAfter {tokens}: KL(A‖B) {bits}, KL(B‖A) {reverse}").format(
            tokens=counted(found.place.a, "token"),
            bits=_bits(found.bits),
            reverse=_bits(found.reverse_bits),
        )
    )
    output.write(_("         A         B     change  token"))
    for row in found.rows:
        a, b = row.a.sampled_probability, row.b.sampled_probability
        arrow = _ARROWS[(row.change > 0) - (row.change < 0)]
        output.write(
            f"  {percent(a)}  {percent(b)}  {100 * row.change:+7.2f} {arrow}"
            f"  {visible(row.token.data)}"
        )


def write_along(places: Iterable[PositionDivergence]) -> None:
    """Print the divergence at each position as it is computed, and then the largest and the sum."""
    output.write(_("\nAlong the text, KL(A‖B) after each token of A:"))
    seen: list[PositionDivergence] = []
    for each in places:
        seen.append(each)
        output.write(f"{each.place.a:6}  {_bits(each.bits):>12}  {visible(each.token.data)}")
    most = max(seen, key=lambda each: each.bits)
    output.write(
        _(
            "A and B differ most after token {number}, {token}. Total over the text: {total}."
        ).format(
            number=most.place.a,
            token=visible(most.token.data),
            total=_bits(math.fsum(each.bits for each in seen)),
        )
    )


def _bits(bits: float) -> str:
    return _("∞ bits") if math.isinf(bits) else _("{bits:.2f} bits").format(bits=max(0.0, bits))

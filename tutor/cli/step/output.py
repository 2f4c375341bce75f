"""Print the results of `tutor step`.

The output is JSON (`docs/step-json.md`) or plain text that works with a screen reader.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from tutor.cli import output
from tutor.language import _
from tutor.lm.distribution import Distribution, ModelCard, Row, Token
from tutor.text import counted, visible

if TYPE_CHECKING:
    from tutor.lm.saved_steering import Applied

_ROUNDING = 1e-9
"""The largest error of a sum of probabilities."""


class JsonModel(msgspec.Struct, frozen=True):
    name: str
    sha256: str
    format: str

    @classmethod
    def of(cls, card: ModelCard) -> JsonModel:
        return cls(card.name, card.sha256, card.format)


class JsonRow(msgspec.Struct, frozen=True):
    """One row of the distribution: a token and its probability.

    `bytes` is in hexadecimal. `sampled_probability` is set only with sampler options. A row from a
    remote model has no `id`, and has `log_probability` instead of `logit`.
    """

    rank: int
    id: int | msgspec.UnsetType
    text: str
    bytes: str
    probability: float
    logit: float | msgspec.UnsetType
    log_probability: float | msgspec.UnsetType
    sampled_probability: float | msgspec.UnsetType = msgspec.UNSET


class JsonChosen(msgspec.Struct, frozen=True):
    """The chosen token. `probability` is null if the server does not report it."""

    id: int | msgspec.UnsetType
    text: str
    probability: float | None


class JsonStep(msgspec.Struct, frozen=True):
    """One step: the distribution and, with `--steps`, the chosen token.

    `hidden_probability` is set only for a remote model. It is the total probability of all tokens
    that the server does not report, and does not depend on `--top`.
    """

    position: int
    entropy_bits: float
    hidden_probability: float | msgspec.UnsetType
    top: tuple[JsonRow, ...]
    chosen: JsonChosen | None


class JsonSteering(msgspec.Struct, frozen=True):
    """The vector that steers the network. `layer` is counted from 0."""

    name: str
    layer: int
    strength: float


class JsonReport(msgspec.Struct, frozen=True):
    """The whole output. `steering` is set only with `--steer`."""

    model: JsonModel
    prompt_ids: tuple[int, ...] | msgspec.UnsetType
    steps: tuple[JsonStep, ...]
    steering: JsonSteering | msgspec.UnsetType = msgspec.UNSET


def in_a_row(tokens: Sequence[Token]) -> str:
    """Return the tokens with visible whitespace, separated by spaces."""
    return " ".join(visible(token.data) for token in tokens)


class Report:
    """The output of `tutor step`: text that is printed step by step, or JSON printed at the end."""

    def __init__(
        self,
        card: ModelCard,
        prompt: Sequence[Token],
        applied: Applied | None,
        *,
        with_sampler: bool,
        json: bool,
    ) -> None:
        """Print the heading, unless the output is JSON.

        If `with_sampler` is set, the table has a column for the probability after the sampler.
        """
        self._card = card
        self._applied = applied
        self._prompt = tuple(prompt)
        self._with_sampler = with_sampler
        self._json = json
        self._steps: list[JsonStep] = []
        self._taken: list[Token] = []
        if not json:
            where = _("at {host}").format(host=card.host) if card.remote else card.format
            output.write(
                _("{name} ({where}), {tokens} processed:").format(
                    name=card.name, where=where, tokens=counted(len(prompt), "token")
                )
            )
            if applied is not None:
                output.write(_("The network is steered: {said}.").format(said=applied.said))
            output.write(in_a_row(prompt))

    def add(self, distribution: Distribution, chosen: Row | None) -> None:
        if chosen is not None:
            self._taken.append(chosen.token)
        if self._json:
            told = distribution.hidden_probability if distribution.partial else msgspec.UNSET
            rows = tuple(map(self._json_row, distribution.rows))
            taken = self._json_chosen(chosen) if chosen else None
            position, entropy = distribution.position, distribution.entropy_bits
            self._steps.append(JsonStep(position, entropy, told, rows, taken))
        else:
            self._print_step(distribution, chosen)

    def finish(self) -> None:
        if self._json:
            ids = tuple(token.id for token in self._prompt)
            shown = msgspec.UNSET if self._card.remote else ids
            steps, steering = tuple(self._steps), self._json_steering()
            output.write_json(JsonReport(JsonModel.of(self._card), shown, steps, steering))
        elif self._taken:
            text = b"".join(token.data for token in (*self._prompt, *self._taken))
            output.write(
                _("\nThe whole text:\n{decode}").format(decode=text.decode("utf-8", "replace"))
            )

    # --- JSON -------------------------------------------------------------------------------

    def _json_steering(self) -> JsonSteering | msgspec.UnsetType:
        if self._applied is None:
            return msgspec.UNSET
        vector = self._applied.vector
        return JsonSteering(vector.name, vector.layer, self._applied.strength)

    def _json_row(self, row: Row) -> JsonRow:
        remote = self._card.remote
        return JsonRow(
            rank=row.rank,
            id=msgspec.UNSET if remote else row.token.id,
            text=row.token.text,
            bytes=row.token.data.hex(),
            probability=row.probability,
            logit=msgspec.UNSET if remote else row.logit,
            log_probability=row.logit if remote else msgspec.UNSET,
            sampled_probability=row.sampled_probability if self._with_sampler else msgspec.UNSET,
        )

    def _json_chosen(self, row: Row) -> JsonChosen:
        return JsonChosen(
            id=msgspec.UNSET if self._card.remote else row.token.id,
            text=row.token.text,
            probability=None if math.isnan(row.probability) else row.probability,
        )

    # --- for people -------------------------------------------------------------------------

    def _print_step(self, distribution: Distribution, chosen: Row | None) -> None:
        tokens = counted(distribution.position, "token")
        if distribution.hidden_probability == 1:
            said = _("\nAfter {tokens}: the server reports no probabilities")
            output.write(said.format(tokens=tokens))
            if chosen is not None:
                output.write(_("Taken: {data}").format(data=visible(chosen.token.data)))
            return
        output.write(
            _("\nAfter {tokens}: entropy {value}{entropy_bits:.2f} bits").format(
                tokens=tokens,
                value=_("at least ") if distribution.partial else "",
                entropy_bits=distribution.entropy_bits,
            )
        )
        if distribution.rows:
            self._print_table(distribution)
        if chosen is not None:
            told = _("rank {rank:,}, {percent}").format(
                rank=chosen.rank, percent=percent(chosen.probability).strip()
            )
            if math.isnan(chosen.probability):
                told = _("the server does not report its probability")
            output.write(
                _("Taken: {data}  ({told})").format(data=visible(chosen.token.data), told=told)
            )

    def _print_table(self, distribution: Distribution) -> None:
        sampled = "   sampled" if self._with_sampler else ""
        remote = self._card.remote
        score, id_ = (_("     ln p"), "") if remote else ("    logit", "      id")
        output.write(
            _("  rank  probability{sampled}{score}{id}  token").format(
                sampled=sampled, score=score, id=id_
            )
        )
        for row in distribution.rows:
            share = f"  {percent(row.sampled_probability)}" if self._with_sampler else ""
            cut = _("  cut by {cut}").format(cut=row.cut) if row.cut else ""
            output.write(
                f"{row.rank:6,}     {percent(row.probability)}{share}  {row.logit:7.2f}"
                f"{'' if remote else f'  {row.token.id:6}'}  {visible(row.token.data)}{cut}"
            )
        self._print_left_out(distribution)

    def _print_left_out(self, distribution: Distribution) -> None:
        if distribution.partial:
            hidden = distribution.hidden_probability
            beyond_top = distribution.left_out - hidden
            if beyond_top > _ROUNDING:
                rest = percent(beyond_top)
                output.write(_("        {rest}  in reported tokens not shown").format(rest=rest))
            rest = percent(hidden)
            output.write(
                _("        {rest}  in tokens that the server does not report").format(rest=rest)
            )
            return
        others = distribution.vocabulary_size - len(distribution.rows)
        if others:
            output.write(
                _("        {percent}  in the {tokens} not shown").format(
                    percent=percent(distribution.left_out), tokens=counted(others, "token")
                )
            )


def percent(share: float) -> str:
    """Format a probability with two decimals, in 8 columns.

    A probability above 0 and below 1 never becomes 0 or 100 %.
    """
    value = f"{100 * share:.2f}"
    if value == "0.00" and share > 0:
        value = "<0.01"
    elif value == "100.00" and share < 1:
        value = ">99.99"
    return f"{value:>6} %"

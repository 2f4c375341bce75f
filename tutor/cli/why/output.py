"""Print the results of `tutor why`.

The output is JSON (`docs/why-json.md`) or plain text that works with a screen reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from tutor.cli import output
from tutor.cli.step.output import JsonModel, in_a_row, percent
from tutor.language import _
from tutor.lm.attribution import Attribution, Occlusion, Part
from tutor.lm.distribution import ModelCard, Token
from tutor.text import counted, visible


class JsonToken(msgspec.Struct, frozen=True):
    """A token. `bytes` contains its bytes in hexadecimal."""

    id: int
    text: str
    bytes: str

    @classmethod
    def of(cls, token: Token) -> JsonToken:
        return cls(token.id, token.text, token.data.hex())


class JsonOcclusion(msgspec.Struct, frozen=True):
    """The effect of removing one token from the text.

    `logits` is the decrease in the target logit, and `probability` is the probability of the target
    token after the text without the removed token.
    """

    index: int
    token: JsonToken
    logits: float
    probability: float


class HeadSources(msgspec.Struct, frozen=True):
    """A head's contribution to the logit, split by the tokens that it comes from.

    `layer` and `head` are counted from 1.
    """

    layer: int
    head: int
    logits: tuple[float, ...]


class JsonReport(msgspec.Struct, frozen=True):
    model: JsonModel
    prompt_ids: tuple[int, ...]
    target: JsonToken
    against: JsonToken | None
    logit: float
    embedding: float
    heads: tuple[tuple[float, ...], ...]
    feed_forward: tuple[float, ...]
    occlusion: tuple[JsonOcclusion, ...]
    sources: HeadSources | None
    bias: float | msgspec.UnsetType = msgspec.UNSET


def write_json(
    card: ModelCard,
    ids: Sequence[int],
    found: Attribution,
    occlusions: Iterable[Occlusion],
    sources: HeadSources | None,
) -> None:
    output.write_json(
        JsonReport(
            model=JsonModel.of(card),
            prompt_ids=tuple(ids),
            target=JsonToken.of(found.target),
            against=None if found.against is None else JsonToken.of(found.against),
            logit=found.logit,
            embedding=found.embedding,
            heads=found.heads,
            feed_forward=found.feed_forward,
            occlusion=tuple(
                JsonOcclusion(each.index, JsonToken.of(each.token), each.logits, each.probability)
                for each in occlusions
            ),
            sources=sources,
            bias=found.bias or msgspec.UNSET,
        )
    )


def write_attribution(
    card: ModelCard, tokens: Sequence[Token], found: Attribution, top: int
) -> None:
    """Print the `top` largest contributions, and the sum of all others."""
    output.write(f"{card.name} ({card.format}):")
    output.write(in_a_row(tokens))
    logit = _("\nThe logit of {target} is {logit:.2f}.")
    if found.against is not None:
        logit = _("\nThe logit of {target} is {logit:.2f} above the logit of {against}.")
    output.write(
        logit.format(
            target=visible(found.target.data),
            against=visible(found.against.data) if found.against else "",
            logit=found.logit,
        )
    )
    output.write(_("It is the sum of what the parts of the network contribute directly:"))
    from tutor.app.spoken import part  # slow to import, and not needed to parse options

    contributions = found.contributions
    for each in contributions[:top]:
        output.write(f"{each.logits:+9.2f}  {part(each.part)}")
    if others := contributions[top:]:
        rest = sum(each.logits for each in others)
        output.write(f"{rest:+9.2f}  {counted(len(others), 'other part')}")


def write_sources(tokens: Sequence[Token], found: Attribution, sources: HeadSources) -> None:
    """Print how much of a head's contribution comes from each token."""
    from tutor.app.spoken import part

    layer, head = sources.layer - 1, sources.head - 1
    output.write(
        _("\nThe {logits:+.2f} of {part} comes from these tokens:").format(
            logits=found.heads[layer][head], part=part(Part(layer, head))
        )
    )
    for token, logits in zip(tokens, sources.logits, strict=True):
        output.write(f"{logits:+9.2f}  {visible(token.data)}")


def write_occlusions(found: Attribution, occlusions: Iterable[Occlusion]) -> None:
    """Print the effect of removing each token, as soon as it is computed."""
    for number, each in enumerate(occlusions):
        if number == 0:
            output.write(
                _(
                    "\nIf one token is removed from the text, the logit changes by this much, and "
                    "the probability of {target} is:"
                ).format(target=visible(found.target.data))
            )
        output.write(
            f"{-each.logits:+9.2f}  {percent(each.probability)}  {visible(each.token.data)}"
        )

"""Draw why a model predicts a token, for the x-ray and for labs.

There are a ranked list of the network's parts, a map of layers and heads, the tokens from which a
head took its contribution, and a table of the text's tokens. Contributions are in logits. Layers,
heads and tokens are numbered from 1 on the screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from textual.content import Content

from tutor.app.theme import ACT, MUTED
from tutor.app.widgets import bars, figures
from tutor.labs.kit import heat
from tutor.labs.kit.columns import Cell, Room, around, as_many_as_fit, cursor
from tutor.language import _
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tutor.lm.attribution import Attribution, Contribution, Occlusion, Part
    from tutor.lm.distribution import Token

DISAGREE = "≠"
"""The mark of a token about which direct attribution and occlusion disagree."""
DISAGREE_LEGEND = _("≠ The two methods disagree.")
_NUMBER = 8
_CELL = 3
"""The width of a cell of the map: two glyphs and a space."""


def signed(logits: float) -> str:
    """Return a contribution with its sign and two decimals, such as `+4.12`."""
    return f"{logits:+.2f}"


def part_name(part: Part) -> str:
    """Return the name of a part of the network, such as "layer 24  head 3"."""
    if part.layer is None:
        return _("embedding")
    if part.head is None:
        return _("layer {layer:>2}  feed-forward").format(layer=part.layer + 1)
    return _("layer {layer:>2}  head {head}").format(layer=part.layer + 1, head=part.head + 1)


def explained(attribution: Attribution) -> str:
    """Return what the contributions add up to: a logit, or the difference between two."""
    target = figures.shown(attribution.target)
    if attribution.against is None:
        return _("the logit of {target}").format(target=target)
    return _("{target} minus {against}").format(
        target=target, against=figures.shown(attribution.against)
    )


def logits_of(attribution: Attribution, part: Part) -> float:
    """Return the contribution of one part."""
    if part.layer is None:
        return attribution.embedding
    if part.head is None:
        return attribution.feed_forward[part.layer]
    return attribution.heads[part.layer][part.head]


# --- the ranked list ------------------------------------------------------------------------------


def ranked_lines(
    attribution: Attribution, ranked: Sequence[Contribution], at: int, room: Room
) -> list[Content]:
    """Draw the ranked contributions around number `at`, and their sum in the last line."""
    name = 24 if room.roomy else 22
    bar = room.width - 2 - name - _NUMBER - 2
    largest = max((abs(each.logits) for each in ranked), default=0.0)
    lines = [
        Content.assemble(
            cursor(index == at),
            (figures.fit(part_name(ranked[index].part), name), "bold" if index == at else ""),
            *_amount(ranked[index].logits, largest, bar),
        )
        for index in around(at, len(ranked), room.height - 1)
    ]
    return [*lines, _sum_line(attribution, ranked, name, room.width)]


def _sum_line(
    attribution: Attribution, ranked: Sequence[Contribution], name: int, width: int
) -> Content:
    total = sum(each.logits for each in ranked)
    label = _("sum of {parts}").format(parts=counted(len(ranked), "part"))
    start = [("  ", ""), (figures.fit(label, name), MUTED), (f"{total:>{_NUMBER}.2f}", "bold")]
    rest = width - 2 - name - _NUMBER
    return Content.assemble(*start, (_fitting([f"  = {explained(attribution)}"], rest), MUTED))


def _amount(logits: float, largest: float, bar: int) -> list[Cell]:
    """Return a contribution as a number and a bar, which takes `bar` cells."""
    half = max(0, bar - 1) // 2
    left, right = bars.two_sided(logits / largest if largest else 0.0, half)
    axis = " " if half == 0 else "│"
    end = " " * max(0, bar - 1 - 2 * half)
    return [f"{signed(logits):>{_NUMBER}}  ", (f"{left}{axis}", MUTED), (f"{right}{end}", ACT)]


# --- the map --------------------------------------------------------------------------------------


def map_lines(attribution: Attribution, at: Part, room: Room) -> list[Content]:
    """Draw a map with a row for each layer, the last one at the top, and a column for each head.

    The last column contains the feed-forward networks. `at` is the selected part. Columns that do
    not fit scroll with it.
    """
    layers, heads = len(attribution.heads), len(attribution.heads[0])
    layer = at.layer or 0
    column = heads if at.head is None else at.head
    label = 2 + 6
    fits = max(1, (room.width - label - 1) // _CELL - 1)
    shown = around(min(column, heads - 1), heads, fits)
    numbers = "".join(f"{head + 1:>{_CELL - 1}} " for head in shown)
    heading = f"{_('layer'):>{label - 1}} {numbers} {_('ff')}"
    lines = [Content.styled(heading, MUTED)]
    for row in around(layers - 1 - layer, layers, room.height - 1):
        each = layers - 1 - row
        values = [attribution.heads[each][head] for head in shown]
        here = each == layer
        cells = [
            _map_cell(value, here and head == column)
            for head, value in zip(shown, values, strict=True)
        ]
        last = _map_cell(attribution.feed_forward[each], here and column == heads)
        number = (f"{each + 1:>{label - 3}} ", "bold" if here else MUTED)
        spaced = [part for cell in cells for part in (cell, " ")]
        lines.append(Content.assemble(cursor(here), number, *spaced, " ", last))
    return lines


def _map_cell(logits: float, here: bool) -> tuple[str, str]:
    """Return the glyphs for a contribution. The selected one is drawn in reverse."""
    glyphs, style = heat.signed_cell(logits, _CELL - 1)
    return glyphs, f"{style} reverse" if here else style


def part_line(attribution: Attribution, part: Part, width: int) -> Content:
    """Name one part, and what it adds to the explained logit."""
    logits = logits_of(attribution, part)
    said = [_("  to {logit}").format(logit=explained(attribution))]
    start = Content.assemble((part_name(part), "bold"), "  ", (signed(logits), "bold"))
    return Content.assemble(start, (_fitting(said, width - start.cell_length), MUTED))


def sources_line(
    tokens: Sequence[Token], sources: Sequence[float] | None, part: Part, width: int
) -> Content:
    """Say from which tokens a head took its contribution, the largest amounts first.

    `sources` has one value for each token up to the position, or is None while it is computed.
    """
    if part.layer is None:
        said = [
            _("The vector of the last token, before the first layer."),
            _("The vector of the last token."),
        ]
        return Content.styled(_fitting(said, width), MUTED)
    if part.head is None:
        said = [
            _("It reads no other tokens, only the residual stream at this one."),
            _("It reads no other tokens."),
        ]
        return Content.styled(_fitting(said, width), MUTED)
    if sources is None:
        return Content.styled(_("computing …"), MUTED)
    order = sorted(range(len(sources)), key=lambda index: -abs(sources[index]))
    start: tuple[str, str] = (_("taken from  "), MUTED)
    groups = (
        ((figures.shown(tokens[index]), ""), (f" {signed(sources[index])}  ", "bold"))
        for index in order
        if abs(sources[index]) >= 0.005
    )
    parts = as_many_as_fit(groups, width - len(start[0]))
    return Content.assemble(start, *parts).rstrip()


def _fitting(texts: Sequence[str], width: int) -> str:
    """Return the first of `texts` that fits into `width` cells, or an empty string."""
    return next((text for text in texts if cell_len(text) <= width), "")


# --- the tokens of the text -----------------------------------------------------------------------


def disagree(direct: float, lost: float) -> bool:
    """Return True if direct attribution and occlusion clearly disagree about a token.

    That is the case if they differ by more than one logit, and by more than half of the larger one.
    """
    return abs(direct - lost) > max(1.0, max(abs(direct), abs(lost)) / 2)


class TokenEffects(NamedTuple):
    """The tokens of a text up to a position, and what is known about each.

    `direct` is the sum of what all heads took from each token, or None while it is unknown. `lost`
    contains the occlusions that have been computed, by the token's index. The last token is never
    removed.
    """

    tokens: Sequence[Token]
    direct: Sequence[float] | None
    lost: Mapping[int, Occlusion]


def token_lines(effects: TokenEffects, at: int, room: Room) -> list[Content]:
    """Draw a table of the tokens around token `at`, with direct sources beside occlusion."""
    place = max(3, len(str(len(effects.tokens))))
    name = max(8, min(18, room.width // 5))
    bar = max(0, (room.width - place - name - 2 * _NUMBER - 10) // 2) if room.roomy else 0
    direct = effects.direct
    lost = {index: each.logits for index, each in effects.lost.items()}
    largest = max((*map(abs, direct or ()), *map(abs, lost.values())), default=0.0)
    column = _NUMBER + 2 + bar
    heads, without = (
        (_("heads took from it"), _("lost without it")) if room.roomy else (_("direct"), _("lost"))
    )
    indent = " " * (2 + place + 2 + name)
    titles = (f"{heads:<{column}}", without) if room.roomy else (f"{heads:>8}  ", f"{without:>8}")
    lines = [Content.styled(f"{indent}{''.join(titles)}", MUTED)]
    for index in around(at, len(effects.tokens), room.height - 1):
        from_it = None if direct is None else direct[index]
        without_it = lost.get(index)
        differ = None not in (from_it, without_it) and disagree(from_it or 0.0, without_it or 0.0)
        last = index == len(effects.tokens) - 1
        lines.append(
            Content.assemble(
                cursor(index == at),
                (f"{index + 1:>{place}}  ", MUTED),
                figures.fit(figures.shown(effects.tokens[index]), name),
                *_token_amount(from_it, largest, bar, "…"),
                *_token_amount(without_it, largest, bar, "–" if last else "…"),
                (f" {DISAGREE}" if differ else "", "bold"),
            )
        )
    return lines


def _token_amount(logits: float | None, largest: float, bar: int, unknown: str) -> list[Cell]:
    if logits is None:
        return [(f"{unknown:>{_NUMBER}}  " + " " * bar, MUTED)]
    if bar < 3:
        return [f"{signed(logits):>{_NUMBER}}  "]
    return _amount(logits, largest, bar)

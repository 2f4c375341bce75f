"""Format contributions as text, numbers and bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tutor.app.theme import ACT, MUTED, NOT_YET
from tutor.app.widgets import bars, figures
from tutor.app.widgets.layout import first_that_fits, with_first_that_fits
from tutor.labs.kit.columns import Cell, as_many_as_fit
from tutor.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.lm.attribution import Attribution, Part
    from tutor.lm.distribution import Token

NUMBER = 8
"""The width of a contribution as a number, in cells."""

ROUNDED = 0.005
"""The smallest number that is not displayed as 0.00."""


def signed(logits: float) -> str:
    """Return a contribution with its sign and two decimals, such as `+4.12`, or `0.00`."""
    return f"{logits:+.2f}" if abs(logits) >= ROUNDED else "0.00"


def part_name(part: Part) -> str:
    """Return the name of a part of the network, such as "layer 24  head 3"."""
    if part.steering:
        return _("steering vector")
    if part.bias:
        return _("biases")
    if part.layer is None:
        return _("embedding")
    if part.head is None:
        return _("layer {layer:>2}  feed-forward").format(layer=part.layer + 1)
    return _("layer {layer:>2}  head {head}").format(layer=part.layer + 1, head=part.head + 1)


def explained(attribution: Attribution) -> str:
    """Describe the sum of the contributions: a logit, or the difference between two logits."""
    target = figures.shown(attribution.target)
    if attribution.against is None:
        return _("the logit of “{target}”").format(target=target)
    return _("“{target}” minus “{against}”").format(
        target=target, against=figures.shown(attribution.against)
    )


def logits_of(attribution: Attribution, part: Part) -> float:
    """Return the contribution of one part."""
    if part.steering:
        return attribution.steering
    if part.bias:
        return attribution.bias
    if part.layer is None:
        return attribution.embedding
    if part.head is None:
        return attribution.feed_forward[part.layer]
    return attribution.heads[part.layer][part.head]


def amount(logits: float, largest: float, bar: int) -> list[Cell]:
    """Return a contribution as a number and a bar.

    The bar takes `bar` cells. It has its full length if `logits` is as large as `largest`.
    """
    half = max(0, bar - 1) // 2
    left, right = bars.two_sided(logits / largest if largest else 0.0, half)
    axis = " " if half == 0 else "│"
    end = " " * max(0, bar - 1 - 2 * half)
    return [f"{signed(logits):>{NUMBER}}  ", (left, NOT_YET), (axis, MUTED), (f"{right}{end}", ACT)]


def part_line(attribution: Attribution, part: Part, width: int) -> Content:
    """Return a line with the name of a part and its contribution to the target logit."""
    logits = logits_of(attribution, part)
    said = [_("  to {logit}").format(logit=explained(attribution))]
    start = Content.assemble((part_name(part), "bold"), "  ", (signed(logits), "bold"))
    return with_first_that_fits(start, said, width)


def sources_line(
    tokens: Sequence[Token], sources: Sequence[float] | None, part: Part, width: int
) -> Content:
    """Return a line with the tokens from which a head took most of its contribution.

    `sources` has one value for each token up to the position, or is None until it is computed. For
    other parts, the line explains why they have no such tokens.
    """
    if part.steering:
        said = [
            _("It is added to the residual stream. No part of the network computes it."),
            _("No part of the network computes it."),
        ]
        return Content.styled(first_that_fits(said, width), MUTED)
    if part.bias:
        said = [
            _("Learned vectors that attention and the final norm add, whatever the text is."),
            _("Learned vectors that don't depend on the text."),
        ]
        return Content.styled(first_that_fits(said, width), MUTED)
    if part.layer is None:
        said = [
            _("The vector of the last token, before the first layer."),
            _("The vector of the last token."),
        ]
        return Content.styled(first_that_fits(said, width), MUTED)
    if part.head is None:
        said = [
            _("It reads no other tokens, only the residual stream at this one."),
            _("It reads no other tokens."),
        ]
        return Content.styled(first_that_fits(said, width), MUTED)
    if sources is None:
        return Content.styled(_("computing…"), MUTED)
    order = sorted(range(len(sources)), key=lambda index: -abs(sources[index]))
    start: tuple[str, str] = (_("taken from  "), MUTED)
    groups = (
        ((figures.shown(tokens[index]), ""), (f" {signed(sources[index])}  ", "bold"))
        for index in order
        if abs(sources[index]) >= ROUNDED
    )
    parts = as_many_as_fit(groups, width - len(start[0]))
    return Content.assemble(start, *parts).rstrip()

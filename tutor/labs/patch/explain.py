"""Names and sentences about patches, for the view and for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.patch.lab import MOST_TOKENS
from tutor.labs.patch.pairs import NEUTRAL
from tutor.language import _
from tutor.lm.distribution import common_length
from tutor.text import counted, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tutor.labs.patch.lab import Pair, Patch, Problem
    from tutor.lm.distribution import Token
    from tutor.lm.patch import Component, Source

VIEW_NAMES: Mapping[Component, str] = {
    "residual": _("residual stream"),
    "attention": _("attention"),
    "feed-forward": _("feed-forward"),
    "head": _("head"),
}
SOURCE_NAMES: Mapping[Source, str] = {
    "other": _("B's activation"),
    "mean": _("the mean"),
    "zero": _("zeros"),
}
SOURCE_SHORT: Mapping[Source, str] = {"other": _("B"), "mean": _("mean"), "zero": _("zeros")}
SOURCE_SENTENCES: Mapping[Source, str] = {
    "other": "",
    "mean": _(
        "The mean is taken over {count} neutral sentences, without their first tokens."
    ).format(count=len(NEUTRAL)),
    "zero": _("The activation is replaced by zeros."),
}


def place(pair: Pair, patch: Patch) -> str:
    """Describe where a patch is. In the text, layers and heads are counted from 1."""
    column = patch.column
    token = visible(pair.a[column.position].data) or "∅"
    if column.component == "head":
        return _("layer {layer}, head {head} at {token}").format(
            layer=patch.layer + 1, head=column.head + 1, token=token
        )
    return _("layer {layer} at {token}").format(layer=patch.layer + 1, token=token)


def signed(moved: float) -> str:
    """Format a fraction as percent with one decimal. A tiny negative value gives "0.0"."""
    return f"{round(100 * moved, 1) + 0.0:.1f}"


def advice(pair: Pair, problem: Problem) -> list[str]:
    """Return sentences about why two texts cannot be patched, and what to do about it."""
    example = _("Press x to load a pair that works.")
    match problem:
        case "length":
            return [*_lengths(pair), example]
        case "long":
            count = len(pair.a)
            return [
                _(
                    "Each text has {count} tokens, but this lab takes at most {most}. Shorten both "
                    "texts."
                ).format(count=count, most=MOST_TOKENS),
                example,
            ]
        case "same":
            return [
                _(
                    "Both texts have the same tokens, so there is nothing to copy. Change a word "
                    "in one of them: press e for text A, or b for text B."
                ),
                example,
            ]
        case "answer":
            return [
                _(
                    "Both texts have the same most probable next token, so a patch can't change "
                    "the answer. Change a word so that the model continues the texts differently."
                ),
                example,
            ]


def _lengths(pair: Pair) -> list[str]:
    """Return advice for two texts with different numbers of tokens.

    The sentences say which text has more tokens, where the texts differ, and how to change them so
    that both have the same number of tokens.
    """
    a, b = pair.a, pair.b
    start = common_length(a, b)
    end = common_length(reversed(a[start:]), reversed(b[start:]))
    parts = (a[start : len(a) - end], b[start : len(b) - end])
    more, fewer = ("A", "B") if len(a) > len(b) else ("B", "A")
    missing = counted(abs(len(a) - len(b)), "token")
    said = _(
        "Text {more} has {missing} more than text {fewer}. Each token of one text needs a "
        "counterpart in the other, so both texts must have the same number of tokens."
    ).format(more=more, missing=missing, fewer=fewer)
    differ = _("They differ here: in A {a}, in B {b}.").format(a=_part(parts[0]), b=_part(parts[1]))
    todo = _(
        "Replace this part of one text with a word that is {missing} longer or shorter, or add a "
        "word to text {fewer}. Press e for text A, or b for text B."
    ).format(missing=missing, fewer=fewer)
    return [said, differ, todo]


def _part(tokens: Iterable[Token]) -> str:
    """Format tokens with bars between them, followed by the number of tokens."""
    shown = [visible(token.data) or "∅" for token in tokens]
    if not shown:
        return _("nothing")
    return f"{'|'.join(shown)} ({counted(len(shown), 'token')})"

"""Describe the state of the lab on the residual stream in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.plain.words import percent, quoted_text, token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.residual.lab import Contributions, State, Stream

HELP = {
    "view": _("Show the lengths of the vectors, or what each part adds to a logit."),
    "move": _("Go to another block, or to another token."),
}
_MOST = 5


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the selected token, and about what the selected block adds."""
    lines = {"text": [_("Text: {text}").format(text=quoted_text(state.text))]}
    if (stream := state.stream) is None:
        return lines
    lines["token"] = [
        _("Token {at} of {count}: {token}.").format(
            at=state.position + 1,
            count=len(stream.tokens),
            token=token(stream.tokens[state.position]),
        )
    ]
    lines["block"] = [
        _("Block {block} of {count}.").format(block=state.block + 1, count=stream.blocks)
    ]
    if state.view == "length":
        lines["length"] = list(_lengths(state, stream))
    elif state.shown is not None:
        lines["logit"] = list(_logit(state, state.shown))
    return lines


def _lengths(state: State, stream: Stream) -> Iterator[str]:
    lengths, block = stream.stream[state.position], state.block
    yield _(
        "The vector's length is {before:.1f} before the block and {after:.1f} after it."
    ).format(before=lengths[block], after=lengths[block + 1])
    yield _(
        "Attention adds a vector of length {attention:.1f}, and the feed-forward network one of "
        "length {feed_forward:.1f}."
    ).format(
        attention=stream.attention[state.position][block],
        feed_forward=stream.feed_forward[state.position][block],
    )
    yield _(
        "The embedding's length is {first:.1f}; at the end of the stream, the length is {last:.1f}."
    ).format(first=lengths[0], last=lengths[-1])


def _logit(state: State, shown: Contributions) -> Iterator[str]:
    block = state.block
    yield _("The most probable next token is {token}, {probability}, logit {logit:.2f}.").format(
        token=token(shown.target), probability=percent(shown.probability), logit=shown.logit
    )
    yield _(
        "In this block, attention adds {attention:+.2f}, and the feed-forward network {ff:+.2f}."
    ).format(attention=shown.attention[block], ff=shown.feed_forward[block])
    if state.shown_heads is not None:
        for head, logits in enumerate(state.shown_heads.heads, 1):
            yield _("Head {head} adds {logits:+.2f}.").format(head=head, logits=logits)
    if shown.bias:
        yield _("The bias of the final norm adds {bias:+.2f}.").format(bias=shown.bias)
    yield _("The embedding adds {embedding:+.2f}. The largest contributions of all blocks:").format(
        embedding=shown.embedding
    )
    for parts, name in (
        (shown.attention, _("attention")),
        (shown.feed_forward, _("feed-forward network")),
    ):
        best = sorted(range(len(parts)), key=lambda at: -abs(parts[at]))[:_MOST]
        for at in best:
            yield _("Block {block}, {name}: {logits:+.2f}.").format(
                block=at + 1, name=name, logits=parts[at]
            )

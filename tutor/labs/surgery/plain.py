"""Describe the state of the surgery lab in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.surgery.lab import FEED_FORWARD
from tutor.language import _
from tutor.plain.words import change, percent, quoted_text, token
from tutor.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.surgery.lab import Cut, State

HELP = {
    "view": _("Show the next token, the logit lens, or how well the model copies."),
    "move": _("Select another layer, or another part of this layer."),
    "toggle": _("Switch the selected part off or on, or all heads of this layer."),
    "switch-off-copier": _("Switch off the strongest induction head that is still on."),
    "start-over": _("Switch everything on again."),
}
_MOST = 20


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the selected part, the parts that are off, and the current view."""
    lines = {
        "text": [_("Text: {text}").format(text=quoted_text(state.text))],
        "part": [_selected(state)] if state.layers else [],
        "off": list(_off(state)),
    }
    match state.view:
        case "next":
            lines["next"] = list(_next(state))
        case "lens":
            lines["lens"] = list(_lens(state))
        case "copying":
            lines["copying"] = list(_copying(state))
    return lines


def _named(cut: Cut) -> str:
    if cut.head == FEED_FORWARD:
        return _("layer {layer}, feed-forward network").format(layer=cut.layer + 1)
    return _("layer {layer}, head {head}").format(layer=cut.layer + 1, head=cut.head + 1)


def _selected(state: State) -> str:
    score = state.score(state.focus)
    return _("Selected: {part}{off}{score}.").format(
        part=_named(state.focus),
        off=_(", switched off") if state.focus in state.cuts else "",
        score="" if score is None else _(", induction score {score:.2f}").format(score=score),
    )


def _off(state: State) -> Iterator[str]:
    if not state.cuts:
        yield _("Nothing is switched off.")
        return
    named = "; ".join(map(_named, state.cuts[:_MOST]))
    yield _("Switched off, {count}: {parts}.").format(
        count=counted(len(state.cuts), "part"), parts=named
    )


def _next(state: State) -> Iterator[str]:
    if state.next is None:
        return
    yield _("The prediction changes by {bits:.3f} bits.").format(bits=state.next.divergence)
    yield from (change(each.token, each.before, each.after) for each in state.next.rows)


def _lens(state: State) -> Iterator[str]:
    if state.lens is None:
        return
    yield _("With all parts on, the most probable next token is {token}.").format(
        token=token(state.lens.target)
    )
    for row in state.lens.rows:
        yield _(
            "After layer {layer}, the lens shows {before}, and {after} with the parts off. The "
            "target has {was}, and {now} with the parts off."
        ).format(
            layer=row.layer,
            before=token(row.before),
            after=token(row.after),
            was=percent(row.before_target),
            now=percent(row.after_target),
        )


def _copying(state: State) -> Iterator[str]:
    copied = state.copied
    if copied is None:
        return
    yield _("Random tokens have a surprisal of {new:.2f} bits the first time.").format(
        new=copied.new
    )
    yield _(
        "When they are repeated, it is {before:.2f} bits, and {after:.2f} with the parts off."
    ).format(before=copied.before, after=copied.after)

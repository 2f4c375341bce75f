"""Describe the state of the lab on continuations in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.labs.continuations.lab import WAYS, figures, repeats
from tutor.language import _
from tutor.plain.words import ended, quoted_text
from tutor.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.continuations.lab import Path, State

HELP = {
    "choose": _("Choose another method for the selected side."),
    "move": _("Show another text of the selected side."),
    "toggle": _("Select the other side."),
    "run": _("Generate the texts of both sides, or stop."),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return the prompt, statistics of both sides, and the selected text."""
    return {
        "prompt": [_("Prompt: {text}").format(text=quoted_text(state.text))],
        "sides": [line for side in (0, 1) for line in _side(state, side)],
        "text": list(_text(state)),
    }


def _side(state: State, side: int) -> Iterator[str]:
    way = state.ways[side]
    yield _("Side {side}{here}: {way}.").format(
        side=side + 1, here=_(", selected") if side == state.side else "", way=WAYS[way].name
    )
    paths = state.paths.get(way, ())
    found = figures(paths)
    if found is None:
        yield _("Side {side} has no texts yet.").format(side=side + 1)
        return
    yield _(
        "Side {side}: {texts}, {different} different, {loops} with a loop; {tokens}, distinct "
        "{distinct:.2f}, {bits:.2f} bits per token."
    ).format(
        side=side + 1,
        different=found.different,
        texts=counted(len(paths), "text"),
        tokens=counted(found.tokens, "token"),
        distinct=found.distinct,
        bits=found.bits,
        loops=found.loops,
    )


def _text(state: State) -> Iterator[str]:
    if not state.shown:
        return
    path = state.shown[state.focus]
    yield _("Text {number} of {count}, {bits:.1f} bits{loop}: {text}").format(
        number=state.focus + 1,
        count=len(state.shown),
        bits=path.bits,
        loop=_(", with a loop") if repeats(path) else "",
        text=ended(_written(path)),
    )


def _written(path: Path) -> str:
    return one_line(b"".join(path.pieces).decode("utf-8", "replace").strip(), 400)

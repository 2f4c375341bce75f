"""Describe the state of the map of words in sentences, for plain mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutor.language import _
from tutor.plain.words import listed, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.labs.word_map.lab import Answer, State

HELP = {
    "choose": _("Show another list of words."),
    "edit": _("Map words of your own, in groups."),
    "move": _("Select another word."),
}


def describe(state: State) -> dict[str, list[str]]:
    """Return sentences about the words, the map, and the selected word's nearest neighbors."""
    chosen = state.chosen
    lines = {
        "words": [_("List: {title}.").format(title=chosen.title)]
        + [
            _("Group {name}: {words}.").format(name=group.name, words=listed(group.words, _("and")))
            for group in chosen.groups
        ]
    }
    if state.map is not None:
        lines["map"] = [
            _("The map shows {share} of the variance: {first} along the first axis.").format(
                share=percent(sum(state.map.shares)), first=percent(state.map.shares[0])
            )
        ]
        lines["word"] = list(_word(state, state.map))
    return lines


def _word(state: State, map_: Answer) -> Iterator[str]:
    words = state.chosen.all
    x, y = map_.points[state.focus]
    yield _("Word {number} of {count}: {word}, at {x:.2f} across and {y:.2f} up.").format(
        number=state.focus + 1, count=len(words), word=words[state.focus], x=x, y=y
    )
    on_map, row = state.nearest_on_map(state.focus), state.nearest_row(state.focus)
    if on_map is None or row is None:
        return
    yield _("Nearest on the map: {word}.").format(word=words[on_map])
    yield _("Nearest by the cosine of the embeddings: {word}, {cosine:.2f}.").format(
        word=words[row], cosine=map_.cosines[state.focus][row]
    )
    if on_map != row:
        yield _("So the map is wrong about this word's nearest neighbor.")

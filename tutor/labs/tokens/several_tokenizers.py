"""Draw one text, or samples in several languages, with several tokenizers."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from textual.content import Content

from tutor.app.theme import MUTED
from tutor.app.widgets import bars, figures
from tutor.labs.kit.columns import Column, Room, around, heading, row
from tutor.labs.tokens.lab import State
from tutor.labs.tokens.side_by_side import (
    LANGUAGES,
    SAMPLES,
    Side,
    Source,
    bytes_each,
    marks,
)
from tutor.language import _
from tutor.text import one_line, visible

_LEGEND = _("a token begins here: | in all tokenizers, ^ in some, + inside the character")
_SHORT_LEGEND = _("token begins: | all  ^ some  + inside")
_MOST_ROWS = 8
_INDENT = 3  # the width of a tokenizer's number


def under_each_other(state: State, room: Room) -> list[Content]:
    """Return a table of the tokenizers, and the text with a line of marks for each of them."""
    table = _tokenizers(state, room)
    legend = Content.styled(_LEGEND if room.roomy else _SHORT_LEGEND, MUTED)
    problem = _problem(state)
    space = [] if room.low else [Content("")]
    rows = room.height - len(table) - len(problem) - len(space) - 1
    return [*table, *problem, *space, *_marked(state, room.width, max(3, rows)), legend]


def in_languages(state: State, room: Room) -> list[Content]:
    """Return a table with the number of tokens in a sentence, by tokenizer and language."""
    side = state.sides.get(state.selected)
    if not room.roomy:
        place = state.sources.index(state.selected) + 1
        which = _("{place} of {count}: {name}").format(
            place=place, count=len(state.sources), name=_label(state.selected, side)
        )
        lines = [Content.styled(figures.fit(which, room.width), "bold")]
        return [*lines, *_problem(state), *_languages(side, room)]
    columns = [
        Column(_("tokens in one sentence"), 28),
        *(Column(code, 5, right=True) for code in SAMPLES),
    ]
    lines = [heading(columns)]
    at = state.sources.index(state.selected)
    for index in around(at, len(state.rows), _shown_rows(room)):
        source, each = state.rows[index]
        counts = ["…"] * len(SAMPLES) if each is None else _counts(each)
        here = source == state.selected
        name = (_label(source, each), "bold" if here else "")
        lines.append(row(columns, [name, *counts], here=here))
    if room.low:
        return [*lines, *_problem(state)]
    return [*lines, *_problem(state), Content(""), *_languages(side, room)]


def _shown_rows(room: Room) -> int:
    return 3 if room.low else _MOST_ROWS


def _tokenizers(state: State, room: Room) -> list[Content]:
    """Return a table with the number of tokens and their mean length, for each tokenizer."""
    columns = [
        Column(_("tokenizer"), 34 if room.roomy else 20),
        Column(_("tokens"), 8, right=True),
        Column(_("bytes each") if room.roomy else _("bytes"), 11 if room.roomy else 8, right=True),
        *([Column(_("vocabulary"), 12, right=True)] if room.roomy else []),
    ]
    lines = [heading(columns)]
    at = state.sources.index(state.selected)
    for index in around(at, len(state.rows), _shown_rows(room)):
        source, side = state.rows[index]
        here = source == state.selected
        name = (f"{index + 1} {_label(source, side)}", "bold" if here else "")
        numbers = _figures(state, side)[: len(columns) - 1]
        lines.append(row(columns, [name, *numbers], here=here))
    return lines


def _figures(state: State, side: Side | None) -> tuple[str, str, str]:
    """Return the number of tokens, their mean length, and the size of the vocabulary."""
    if side is None:
        return "…", "", ""
    each = bytes_each(state.text, side)
    count = "-" if side.problem else figures.count(len(side.pieces))
    size = figures.count(side.vocabulary) if side.vocabulary else ""
    return count, "" if each is None else f"{each:.2f}", size


def _problem(state: State) -> list[Content]:
    """Return a line that says why the selected tokenizer has no marks, or [] if it has some."""
    side = state.sides.get(state.selected)
    if side is None:
        return []
    if side.problem:
        return [Content.styled(one_line(side.problem), MUTED)]
    if side.pieces and state.selected not in marks(state.text, state.sides):
        return [Content.styled(_("This tokenizer changes the text before splitting it."), MUTED)]
    return []


def _label(source: Source, side: Side | None) -> str:
    name = source.name or _("the loaded model") if side is None else side.label
    return one_line(name)


def _marked(state: State, width: int, rows: int) -> list[Content]:
    """Return lines of the text, each with a line of marks below it for each tokenizer."""
    found = marks(state.text, state.sides)
    numbers = {source: place for place, (source, _side) in enumerate(state.rows, 1)}
    shown = [source for source in state.sources if source in found]
    lines: list[Content] = []
    for begin, end in _wrapped(state.text, min(state.begin, len(state.text)), width - _INDENT):
        if lines and len(lines) + 1 + len(shown) > rows:
            break
        characters = [_cell(character) for character in state.text[begin:end]]
        lines.append(Content.assemble((" " * _INDENT, ""), ("".join(characters), "bold")))
        for source in shown:
            line = "".join(
                mark.ljust(cell_len(character))
                for mark, character in zip(found[source][begin:end], characters, strict=True)
            )
            style = "" if source == state.selected else MUTED
            number = f"{numbers[source]:>2} "
            lines.append(Content.assemble((number, style), (line.rstrip(), style)))
    return lines


def _wrapped(text: str, begin: int, width: int) -> Iterator[tuple[int, int]]:
    """Split `text[begin:]` into lines of up to `width` cells. Yield each line's start and end."""
    start, used = begin, 0
    for place in range(begin, len(text)):
        size = cell_len(_cell(text[place]))
        if used + size > width and place > start:
            yield start, place
            start, used = place, 0
        used += size
    if start < len(text):
        yield start, len(text)


def _cell(character: str) -> str:
    """Return a visible form of a character that is at least one cell wide."""
    shown = visible(character.encode("utf-8", "replace"))
    return shown if cell_len(shown) else f"◌{shown}"


def _languages(side: Side | None, room: Room) -> list[Content]:
    """Return the number of tokens in each language, with a bar, for one tokenizer."""
    if side is None or not side.samples:
        return []
    if room.low and not room.roomy:  # show two languages per line, without bars
        cells = [f"  {code} {_count(n):>6}" for code, n in zip(SAMPLES, side.samples, strict=True)]
        return [Content("".join(cells[at : at + 2])) for at in range(0, len(cells), 2)]
    most, english = max(side.samples), side.samples[0]
    lines = []
    for code, count in zip(SAMPLES, side.samples, strict=True):
        times = f"{count / english:5.1f} ×" if count > 0 and english > 0 else ""
        name = _(LANGUAGES[code]) if room.roomy else code
        bar = bars.bar(max(0, count) / max(1, most), max(4, min(30, room.width - 30)))
        lines.append(
            Content.assemble(
                (f"  {name:<{10 if room.roomy else 3}}", ""),
                (f"{_count(count):>6}  {times:<9}", ""),
                (bar, MUTED),
            )
        )
    return lines


def _counts(side: Side) -> list[str]:
    return [_count(count) for count in side.samples or [-1] * len(SAMPLES)]


def _count(count: int) -> str:
    return "-" if count < 0 else figures.count(count)

"""Find Markdown that a lesson may not contain, because a terminal cannot show it safely."""

from collections.abc import Iterator, Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

from tutor.course.reading.place import Place, control_character
from tutor.errors import LessonError

BLOCKS = ("predict", "lab", "question", "numbers", "measured", "include", "facts")
"""The first lines of fenced blocks that are not code."""


DEEPEST = 12
"""The deepest nesting of blocks, or of marks in a line.

The parser stops at 20 and drops everything below.
"""


@cache
def markdown() -> MarkdownIt:
    """Return the parser: CommonMark with tables and front matter."""
    return MarkdownIt("commonmark").enable("table").use(front_matter_plugin)


def refused(tokens: Sequence[Token], start: Place, *, title: bool = False) -> Iterator[LessonError]:
    """Yield the problems with a text, whose first line is at `start`.

    These are HTML, pictures, `#` headings (unless the file may have a `title`), misplaced
    blocks, and control characters written as entities.
    """
    for token in tokens:
        place = place_of(token, start)
        if token.level > DEEPEST or any(child.level > DEEPEST for child in token.children or ()):
            yield place.error(f"This is nested more than {DEEPEST} deep.", "Flatten it.")
            return
        if token.type == "html_block":
            yield place.error("HTML is not allowed.", "Write it in Markdown.")
        elif token.type == "heading_open" and token.tag == "h1" and not title:
            yield place.error("`#` is not used inside a lesson.", "Use `##` for a screen.")
        elif token.type == "fence" and token.level > 0 and token.info.strip() in BLOCKS:
            yield place.error(
                f"This {token.info.strip()} is inside a list or a quotation.",
                "Move it to the left margin.",
            )
        for child, line in _children(token):
            yield from _refused_inline(child, place.below(line))


def refused_within(sentence: str, place: Place) -> Iterator[LessonError]:
    """Yield the control characters that are written as entities in a `sentence` of inline Markdown.

    (In such a sentence, HTML is shown as text, and a picture as its description.)
    """
    if "&" in sentence:
        (line,) = markdown().parseInline(sentence)
        for child in line.children or ():
            if bad := control_character(child.content):
                yield _acting(bad, place)


def place_of(token: Token, start: Place) -> Place:
    return start.below(token.map[0]) if token.map else start


def _refused_inline(child: Token, place: Place) -> Iterator[LessonError]:
    if child.type == "html_inline":
        yield place.error(
            f"HTML is not allowed: {child.content[:40]!r}.",
            "Write it in Markdown, or between backticks.",
        )
    elif child.type == "image":
        yield place.error("Pictures cannot be shown in a terminal.", "Draw it with characters.")
    elif bad := control_character(child.content):
        yield _acting(bad, place)


def _acting(char: str, place: Place) -> LessonError:
    return place.error(f"The character U+{ord(char):04X} could act on a terminal.", "Remove it.")


def _children(token: Token) -> Iterator[tuple[Token, int]]:
    """Yield the inline tokens of a block token, each with its line below the block's start."""
    line = 0
    for child in token.children or ():
        yield child, line
        line += child.type in ("softbreak", "hardbreak")

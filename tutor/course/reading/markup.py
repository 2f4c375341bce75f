"""Find Markdown that is not allowed in a lesson because a terminal cannot show it safely."""

from collections.abc import Iterator, Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

from tutor.course.reading.place import Place, control_character
from tutor.errors import LessonError

BLOCKS = ("predict", "lab", "question", "numbers", "measured", "include", "facts")
"""The info strings of fenced blocks that are not code, such as labs and questions."""


DEEPEST = 12
"""The maximum nesting depth of blocks, and of inline markup in a line.

The Markdown parser ignores everything below a depth of 20.
"""


@cache
def markdown() -> MarkdownIt:
    """Return a parser for CommonMark with tables and front matter."""
    return MarkdownIt("commonmark").enable("table").use(front_matter_plugin)


def inline_text(token: Token) -> str:
    """Return the text of an inline token on one line, without markup."""
    return "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content
        for child in token.children or ()
    )


def refused(tokens: Sequence[Token], start: Place, *, title: bool = False) -> Iterator[LessonError]:
    """Yield an error for each part of Markdown text that is not allowed.

    The text begins at `start`. HTML, images, misplaced blocks, deep nesting, and control
    characters written as entities are not allowed. `#` headings are allowed only if the file may
    have a `title`.
    """
    for token in tokens:
        place = place_of(token, start)
        if token.level > DEEPEST or any(child.level > DEEPEST for child in token.children or ()):
            yield place.error(
                f"This is nested more than {DEEPEST} levels deep.", "Use fewer levels."
            )
            return
        if token.type == "html_block":
            yield place.error("HTML is not allowed.", "Use Markdown.")
        elif token.type == "heading_open" and token.tag == "h1" and not title:
            yield place.error("`#` headings are not allowed in a lesson.", "Use `##` for a screen.")
        elif token.type == "fence" and token.level > 0 and token.info.strip() in BLOCKS:
            yield place.error(
                f"This `{token.info.strip()}` block is inside a list or a quotation.",
                "Move it to the left margin.",
            )
        for child, line in _children(token):
            yield from _refused_inline(child, place.below(line))


def refused_within(sentence: str, place: Place) -> Iterator[LessonError]:
    """Yield an error for each control character that is written as an entity in `sentence`.

    The sentence is inline Markdown. HTML and images are allowed in it, because they are shown as
    text.
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
            "Use Markdown, or put it between backticks.",
        )
    elif child.type == "image":
        yield place.error("A terminal cannot show images.", "Draw them with characters.")
    elif bad := control_character(child.content):
        yield _acting(bad, place)


def _acting(char: str, place: Place) -> LessonError:
    return place.error(f"The character U+{ord(char):04X} could control the terminal.", "Remove it.")


def _children(token: Token) -> Iterator[tuple[Token, int]]:
    """Yield the inline tokens of a block, with their lines relative to the start of the block."""
    line = 0
    for child in token.children or ():
        yield child, line
        line += child.type in ("softbreak", "hardbreak")

"""Markdown that a lesson may not contain: what a terminal cannot show, or should never be sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import TYPE_CHECKING

from tutor.course.place import Place, control_character

if TYPE_CHECKING:
    from markdown_it.token import Token

    from tutor.errors import LessonError

BLOCKS = ("lab", "question")
"""What the first line of a fenced block says when it is not code."""


def refused(tokens: Sequence[Token], start: Place) -> Iterator[LessonError]:
    """HTML, pictures, `#` headings, misplaced blocks, and control characters written as entities.

    `start` is the file's first line.
    """
    for token in tokens:
        place = place_of(token, start)
        if token.type == "html_block":
            yield place.error("HTML is not allowed.", "Write it in Markdown.")
        elif token.type == "heading_open" and token.tag == "h1":
            yield place.error("`#` is not used inside a lesson.", "Use `##` for a screen.")
        elif token.type == "fence" and token.level > 0 and token.info.strip() in BLOCKS:
            yield place.error(
                f"This {token.info.strip()} stands inside a list or a quotation.",
                "Move it to the left margin.",
            )
        for child, line in _children(token):
            yield from _refused_inline(child, place.below(line))


def dead_links(tokens: Sequence[Token], start: Place, screens: Set[str]) -> Iterator[LessonError]:
    """Links such as `[logits](#softmax)` that lead to none of `screens`."""
    for token in tokens:
        for child, line in _children(token):
            target = str(child.attrGet("href") or "") if child.type == "link_open" else ""
            if target.startswith("#") and target[1:] not in screens:
                yield (
                    place_of(token, start)
                    .below(line)
                    .error(
                        f"The link {target!r} leads to no screen of this lesson.",
                        f"The screens are: {', '.join(sorted(screens)) or 'none'}.",
                    )
                )


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
        yield place.error(f"The character U+{ord(bad):04X} could act on a terminal.", "Remove it.")


def _children(token: Token) -> Iterator[tuple[Token, int]]:
    """The inline tokens of a block token, each with how many lines below its start it stands."""
    line = 0
    for child in token.children or ():
        yield child, line
        line += child.type in ("softbreak", "hardbreak")

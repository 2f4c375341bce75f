"""Find the links in lessons and in the glossary.

A link leads to a screen, to a term or to a web page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from markdown_it.token import Token

    from tutor.course.reading.place import Place
    from tutor.errors import LessonError

GLOSSARY = "glossary.md"

EXPECTED = (
    "Write `#screen` for a screen of this lesson, `05-attention.md#screen` for a screen of another"
    " lesson, `glossary.md#term` for a term, or an address that begins with https://."
)

_LOCAL = re.compile(r"(?P<file>[\w.-]+\.md)?(?:#(?P<anchor>[a-z0-9-]+))?", re.ASCII)
_WEB = ("https://", "http://")


class Link(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A link to another file of the course.

    `line` is the line of the link, counted from 1. `anchor` is the id of a screen or term in the
    other file, or empty if the link leads to the whole file.
    """

    file: str
    anchor: str
    line: int


def split(href: str) -> tuple[str, str] | None:
    """Return the file name and the id in a link within the course, or None for web links.

    Either of the two may be empty.
    """
    match = _LOCAL.fullmatch(href)
    return (match["file"] or "", match["anchor"] or "") if match and href else None


def follow(
    tokens: Sequence[Token], start: Place, here: Set[str], file: str, what: str
) -> tuple[tuple[Link, ...], tuple[LessonError, ...]]:
    """Return the links in Markdown to other files of the course, and all problems with links.

    The Markdown is a part of `file` that begins at `start`. `here` contains the ids in `file`, and
    `what` describes these ids in messages ("screen of this lesson").
    """
    links: list[Link] = []
    problems: list[LessonError] = []
    for href, place in hrefs(tokens, start):
        parts = split(href)
        if parts is None:
            if not href.startswith(_WEB):
                problems.append(place.error(f"The link {href[:60]!r} is not valid.", EXPECTED))
        elif parts[0] not in ("", file):
            links.append(Link(*parts, place.line))
        elif parts[1] not in here:
            known = ", ".join(sorted(here)) if len(here) <= 20 else "the ids of this file"
            problems.append(
                place.error(
                    f"The link {href[:60]!r} does not lead to a {what}.",
                    f"Known ids: {known or 'none'}.",
                )
            )
    return tuple(links), tuple(problems)


def hrefs(tokens: Sequence[Token], start: Place) -> Iterator[tuple[str, Place]]:
    """Yield all links in Markdown tokens, with their positions. The tokens begin at `start`."""
    for token in tokens:
        line = token.map[0] if token.map else 0
        for child in token.children or ():
            if child.type == "link_open":
                yield str(child.attrGet("href") or ""), start.below(line)
            line += child.type in ("softbreak", "hardbreak")

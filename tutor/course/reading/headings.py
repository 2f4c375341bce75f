"""Parse headings with an id: `## Title {#id}`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

    from tutor.course.reading.place import Place

LONGEST_TITLE = 80

_ID = re.compile(r"(?=.{1,60}\Z)[a-z0-9]+(-[a-z0-9]+)*")


def title_and_id(heading: Token, place: Place) -> tuple[str, str]:
    """Return the title and the id from the inline token of a heading. Raises `LessonError`."""
    title, _, rest = heading.content.rpartition("{#")
    title = " ".join(title.split())
    name = rest.removesuffix("}")
    if not title or not rest.endswith("}") or not _ID.fullmatch(name):
        raise place.error(
            f"The heading {heading.content[:60]!r} has no valid id.",
            "End it with an id of lowercase letters, digits and hyphens: `## Title {#its-id}`.",
        )
    if len(title) > LONGEST_TITLE:
        raise place.error(
            f"The title {title[:40]!r}... is longer than {LONGEST_TITLE} characters.",
            "Shorten it.",
        )
    return title, name

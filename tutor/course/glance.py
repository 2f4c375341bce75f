"""The outline of a lesson at a glance, some thirty times as fast as reading it to its end.

For a folder with hundreds of files that nobody has read yet: what this finds is what the parser
finds in a sound lesson, and where something looks unusual it finds nothing. Whether the lesson is
sound shows when it is opened, or looked over by the linter.
"""

from __future__ import annotations

import re

from tutor.course.blocks import decode
from tutor.course.headings import LONGEST_TITLE
from tutor.course.outline import LabOutline, Outline, QuestionOutline, ScreenOutline
from tutor.course.parse import FrontMatter
from tutor.course.place import Place
from tutor.course.question import QUESTION_TYPES, type_name
from tutor.errors import LessonError

_FRONT = re.compile(r"---\n(.*?\n)---\n", re.DOTALL)
_SCREEN = re.compile(r"## (.*\S)\s*\{#([a-z0-9]+(?:-[a-z0-9]+)*)\}\s*")
_FENCE = re.compile(r"(`{3,})([^\s`]*)[^`]*")
_LIKE_A_FENCE = ("```", "~~~")
_FIELD = re.compile(r"(id|version|type|screen): *['\"]?([a-z0-9-]{1,60})['\"]? *(#.*)?")
_TYPES = {type_name(kind) for kind in QUESTION_TYPES}


def glance(text: str, where: str) -> Outline | None:
    """The outline without its links; None where only the parser can tell."""
    front = _FRONT.match(text)
    if front is None:
        return None
    try:
        matter: FrontMatter = decode(front[1], FrontMatter, Place(where, 2))
    except LessonError:
        return None
    seen = _Seen()
    skipped = front[0].count("\n")
    for line, content in enumerate(text.split("\n")[skipped:], start=skipped + 1):
        if not seen.take(content, line):
            return None
    return seen.outline(matter, where)


class _Seen:
    """What has been seen of a file, line by line."""

    def __init__(self) -> None:
        self._screens: list[ScreenOutline] = []
        self._labs: list[LabOutline] = []
        self._questions: list[QuestionOutline] = []
        self._with_text: set[str] = set()
        self._fence = ""
        self._block = ""
        self._begin = 0
        self._fields: dict[str, str] = {}

    def take(self, content: str, line: int) -> bool:
        """False where it cannot go on."""
        if self._fence:
            if content.rstrip() == self._fence:
                self._fence = ""
                return self._end_block()
            if content.strip().startswith(self._fence):
                return False
            if self._block and (field := _FIELD.fullmatch(content)):
                self._fields.setdefault(field[1], field[2])
            return True
        if fence := _FENCE.fullmatch(content):
            self._fence, self._block, self._begin = fence[1], "", line
            if fence[2] in ("question", "lab"):
                self._block, self._fields = fence[2], {}
            if fence[2] not in ("question", "numbers"):
                self._has_text()
            return bool(self._screens)
        if content.lstrip().startswith(_LIKE_A_FENCE):
            return False
        if content.startswith("## "):
            heading = _SCREEN.fullmatch(content)
            if heading is None or len(heading[1]) > LONGEST_TITLE:
                return False
            title = " ".join(heading[1].split())
            self._screens.append(ScreenOutline(heading[2], title, line))
        elif content.strip():
            self._has_text()
        return True

    def _has_text(self) -> None:
        if self._screens:
            self._with_text.add(self._screens[-1].id)

    def _end_block(self) -> bool:
        fields = self._fields
        if not self._block:
            return True
        if "id" not in fields:
            return False
        if self._block == "lab":
            self._labs.append(LabOutline(fields["id"], self._begin))
            return True
        version = fields.get("version", "1")
        if fields.get("type") not in _TYPES or not version.isdigit():
            return False
        screen = fields.get("screen", self._screens[-1].id)
        self._questions.append(
            QuestionOutline(fields["id"], int(version), fields["type"], screen, self._begin)
        )
        return True

    def outline(self, front: FrontMatter, file: str) -> Outline | None:
        screens = tuple(screen for screen in self._screens if screen.id in self._with_text)
        ids = [part.id for part in (*self._screens, *self._labs, *self._questions)]
        if self._fence or not screens or len(set(ids)) < len(ids):
            return None
        known = {screen.id for screen in screens}
        return Outline(
            id=front.id,
            number=front.number,
            version=front.version,
            title=front.title,
            summary=front.summary,
            needs=front.needs,
            screens=screens,
            labs=tuple(self._labs),
            questions=tuple(
                QuestionOutline(
                    each.id,
                    each.version,
                    each.type,
                    each.screen if each.screen in known else None,
                    each.line,
                )
                for each in self._questions
            ),
            file=file,
        )

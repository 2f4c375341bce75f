"""The outline of a lesson at a glance, some hundred times as fast as reading it to its end.

For files that nobody has read yet: what this finds is what the parser finds in a sound lesson, and
where something looks unusual it finds nothing. Whether the lesson is sound shows when it is read.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tutor.course.headings import LONGEST_TITLE
from tutor.course.outline import LabOutline, Outline, QuestionOutline, ScreenOutline
from tutor.course.place import Place
from tutor.course.question import QUESTION_TYPES, type_name
from tutor.errors import LessonError

_ID = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_FRONT = re.compile(r"---\n(.*?\n)---\n", re.DOTALL)
_ENTRY = re.compile(
    rf"""(?:
        id:\ (?P<id>{_ID})
      | number:\ (?P<number>0|[1-9][0-9]{{0,2}})
      | version:\ (?P<version>[1-9][0-9]{{0,4}})
      | title:\ (?P<title>[A-Za-z0-9](?:[^\n\t:\#]*[^\s:\#])?)
      | summary:\ >-(?P<summary>(?:\n\ \ \S(?:[^\n\t]*\S)?)+)
      | needs:\ \[(?P<needs>(?:{_ID}(?:,\ *{_ID})*)?)\]
      | source:(?P<source>\ \[[^\n\t]*\]|(?:\n\ \ -\ [^\n\t]+)+)
    )\n""",
    re.VERBOSE,
)
"""A field of the front matter as it is written most often, read without a parser of YAML."""
_LONGEST = {"id": 60, "title": 60, "summary": 300}
_MARK = re.compile(r"\n(## .*|[^\S\n]*(?:```|~~~).*)")
"""A line at which something may begin or end, and the end of the line before: a pattern that begins
with a character is found several times as fast as one that begins with an anchor."""
_SCREEN = re.compile(rf"## (.*\S)\s*\{{#({_ID})\}}\s*")
_FENCE = re.compile(r"(`{3,})([^\s`]*)[^`]*")
_FIELD = re.compile(
    r"\n(id|version|type|screen): *['\"]?([a-z0-9-]{1,60})['\"]? *(?:#.*)?(?![^\n])"
)
_TYPES = {type_name(kind) for kind in QUESTION_TYPES}


class _Front(NamedTuple):
    id: str
    number: int
    title: str
    summary: str
    version: int
    needs: tuple[str, ...]


def glance(text: str, where: str) -> Outline | None:
    """The outline without its links; None where only the parser can tell."""
    matter = _FRONT.match(text)
    front = _front(matter[1], where) if matter else None
    if matter is None or front is None:
        return None
    seen = _Seen(text, matter.end() - 1)
    return (
        seen.outline(front, where) if all(map(seen.take, _MARK.finditer(text, seen.at))) else None
    )


def _front(text: str, where: str) -> _Front | None:
    fields: dict[str, str] = {}
    at = 0
    while entry := _ENTRY.match(text, at):
        name = entry.lastgroup or ""
        value = " ".join(entry[name].split("\n  ")).lstrip() if name == "summary" else entry[name]
        if name in fields or len(value) > _LONGEST.get(name, len(value)):
            return None
        fields[name] = value
        at = entry.end()
    if at < len(text) or not {"id", "number", "title", "summary"} <= fields.keys():
        return _unusual_front(text, where)
    needs = tuple(each.strip() for each in fields.get("needs", "").split(",") if each)
    return _Front(
        fields["id"],
        int(fields["number"]),
        fields["title"],
        fields["summary"],
        int(fields.get("version", "1")),
        needs,
    )


def _unusual_front(text: str, where: str) -> _Front | None:
    from tutor.course.blocks import decode  # needed for few, and slow to import
    from tutor.course.parse import FrontMatter

    try:
        matter: FrontMatter = decode(text.removesuffix("\n"), FrontMatter, Place(where, 2))
    except LessonError:
        return None
    return _Front(
        matter.id, matter.number, matter.title, matter.summary, matter.version, matter.needs
    )


class _Seen:
    """What has been seen of a file, mark by mark: up to `at`."""

    def __init__(self, text: str, start: int) -> None:
        self.at = start
        self._text = text
        self._line = 1
        self._counted = 0
        """Where line number `_line` begins, or somewhere on it."""
        self._screens: list[ScreenOutline] = []
        self._labs: list[LabOutline] = []
        self._questions: list[QuestionOutline] = []
        self._with_text: set[str] = set()
        self._fence = ""
        self._block = ""
        self._begin = 0

    def take(self, mark: re.Match[str]) -> bool:
        """False where it cannot go on."""
        content = mark[1]
        if self._fence:
            if content.rstrip() == self._fence:
                self._fence = ""
                sound = self._end_block(self._text[self.at : mark.start()])
                self.at = mark.end()
                return sound
            return not content.strip().startswith(self._fence)
        if self._text[self.at : mark.start()].strip():
            self._has_text()
        self.at = mark.end()
        if fence := _FENCE.fullmatch(content):
            self._fence, self._block, self._begin = fence[1], "", self._line_at(mark.start(1))
            if fence[2] in ("question", "lab"):
                self._block = fence[2]
            if fence[2] not in ("question", "numbers", "measured"):
                self._has_text()
            return bool(self._screens)
        if content.lstrip().startswith(("```", "~~~")):
            return False
        heading = _SCREEN.fullmatch(content)
        if heading is None or len(heading[1]) > LONGEST_TITLE:
            return False
        title = " ".join(heading[1].split())
        self._screens.append(ScreenOutline(heading[2], title, self._line_at(mark.start(1))))
        return True

    def _line_at(self, place: int) -> int:
        self._line += self._text.count("\n", self._counted, place)
        self._counted = place
        return self._line

    def _has_text(self) -> None:
        if self._screens:
            self._with_text.add(self._screens[-1].id)

    def _end_block(self, text: str) -> bool:
        if not self._block:
            return True
        fields: dict[str, str] = {}
        for field in _FIELD.finditer(text):
            fields.setdefault(field[1], field[2])
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

    def outline(self, front: _Front, file: str) -> Outline | None:
        if not self._fence and self._text[self.at :].strip():
            self._has_text()
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

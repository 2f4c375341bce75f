"""The outline of a lesson at a glance, some hundred times as fast as reading it to its end.

For files that nobody has read yet: what this finds is what the parser finds in a sound lesson, and
where something looks unusual it finds nothing. Whether the lesson is sound shows when it is read.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tutor.course.headings import LONGEST_TITLE
from tutor.course.outline import LabOutline, Outline, QuestionOutline, ScreenOutline
from tutor.course.place import Place, decoded
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
_PIECE = re.compile(
    r"""\n(?:
        \#\#\ (.*)
      | (?P<fence>`{3,})([^\s`]*)[^`\n]*(\n(?:.*\n)*?)(?P=fence)[^\S\n]*(?![^\n])
      | [^\S\n]*(?:```|~~~)
    )""",
    re.VERBOSE,
)
"""What is no text, and the end of the line before: a heading, a fenced block, or what may be one
that only the parser knows. (That a pattern begins with a character and not with an anchor makes it
several times as fast.)"""
_SCREEN = re.compile(rf"(.*\S)\s*\{{#({_ID})\}}\s*")
_INK = re.compile(r"\S")
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


def glance(data: bytes, where: str) -> Outline | None:
    """The outline of a lesson in the bytes of its file, without its links; None where only the
    parser can tell."""
    try:
        text = decoded(data, where)
    except LessonError:
        return None
    matter = _FRONT.match(text)
    front = _front(matter[1], where) if matter else None
    if matter is None or front is None:
        return None
    seen = _Seen(text, matter.end() - 1)
    pieces = _PIECE.finditer(text, seen.at)
    return seen.outline(front, where) if all(map(seen.take, pieces)) else None


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
    if not (fields["title"] + fields["summary"]).isprintable():
        return None
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
    """What has been seen of a file, piece by piece: up to `at`."""

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

    def take(self, piece: re.Match[str]) -> bool:
        """False where it cannot go on."""
        begin = piece.start()
        title_and_id, fence, info, inside = piece.groups()
        if _INK.search(self._text, self.at, begin):
            self._has_text()
        self.at = piece.end()
        if fence:
            if info not in ("question", "numbers", "measured"):
                self._has_text()
            if not self._screens or fence in inside:
                return False
            return info not in ("question", "lab") or self._block(info, inside, begin + 1)
        heading = _SCREEN.fullmatch(title_and_id or "")
        if heading is None or len(heading[1]) > LONGEST_TITLE or not heading[1].isprintable():
            return False
        title = " ".join(heading[1].split())
        self._screens.append(ScreenOutline(heading[2], title, self._line_at(begin + 1)))
        return True

    def _line_at(self, place: int) -> int:
        self._line += self._text.count("\n", self._counted, place)
        self._counted = place
        return self._line

    def _has_text(self) -> None:
        if self._screens:
            self._with_text.add(self._screens[-1].id)

    def _block(self, info: str, inside: str, begin: int) -> bool:
        fields: dict[str, str] = {}
        for field in _FIELD.finditer(inside):
            fields.setdefault(field[1], field[2])
        if "id" not in fields:
            return False
        if info == "lab":
            self._labs.append(LabOutline(fields["id"], self._line_at(begin)))
            return True
        version = fields.get("version", "1")
        if fields.get("type") not in _TYPES or not version.isdigit():
            return False
        screen = fields.get("screen", self._screens[-1].id)
        self._questions.append(
            QuestionOutline(
                fields["id"], int(version), fields["type"], screen, self._line_at(begin)
            )
        )
        return True

    def outline(self, front: _Front, file: str) -> Outline | None:
        if _INK.search(self._text, self.at):
            self._has_text()
        screens = tuple(screen for screen in self._screens if screen.id in self._with_text)
        ids = [part.id for part in (*self._screens, *self._labs, *self._questions)]
        if not screens or len(set(ids)) < len(ids):
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

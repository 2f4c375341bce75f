"""Scan a lesson for its outline, 25 times as fast as parsing the whole lesson.

Only files that are not in the cache are scanned. For a valid lesson, the scan returns the same
outline as the parser. If a file contains anything unusual, the scan returns no outline. A scan does
not show that a lesson is valid.
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from tutor.course.lesson import FrontMatter
from tutor.course.outline import (
    LabOutline,
    Outline,
    PredictionOutline,
    QuestionOutline,
    ScreenOutline,
)
from tutor.course.questions.base import type_name
from tutor.course.questions.question import QUESTION_TYPES
from tutor.course.reading.headings import LONGEST_TITLE
from tutor.course.reading.place import Place, decoded
from tutor.errors import LessonError

Named = TypeVar("Named")

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
      | learned:(?P<learned>(?:\n\ \ (?:-|\ )\ [^\n\t]+)+)
    )\n""",
    re.VERBOSE,
)
"""A field of the front matter in its most common form, matched without a YAML parser."""
_PIECE = re.compile(
    r"""\n(?:
        \#\#\ (.*)
      | (?P<fence>`{3,})([^\s`]*)[^`\n]*(\n(?:.*\n)*?)(?P=fence)[^\S\n]*(?![^\n])
      | [^\S\n]*(?:```|~~~)
    )""",
    re.VERBOSE,
)
"""A pattern for the next heading, fenced block, or other text that looks like a block.

Only the parser can tell if such text really is a block. A match includes the line ending before it:
a pattern that begins with a character instead of an anchor is several times as fast.
"""
_SCREEN = re.compile(rf"(.*\S)\s*\{{#({_ID})\}}\s*")
_INK = re.compile(r"\S")
_FIELD = re.compile(
    r"\n(id|version|type|screen): *['\"]?([a-z0-9-]{1,60})['\"]? *(?:#.*)?(?![^\n])"
)
_USUAL = re.compile(r"\nid: ([a-z0-9-]{1,60})\ntype: ([a-z]+)\n")
"""A pattern for the first two lines of most questions: their id and their type.

A few questions also contain a version or the id of a screen, and need another pattern.
"""
_TYPES = {type_name(kind) for kind in QUESTION_TYPES}


def scan_outline(data: bytes, where: str) -> Outline | None:
    """Return the outline of a lesson, without links, or None if the file must be parsed.

    `data` is the content of the file.
    """
    try:
        text = decoded(data, where)
    except LessonError:
        return None
    matter = _FRONT.match(text)
    front = _front(matter[1], where) if matter else None
    if matter is None or front is None:
        return None
    scan = _Scan(text, matter.end() - 1)
    pieces = _PIECE.finditer(text, scan.at)
    return scan.outline(front, where) if all(map(scan.take, pieces)) else None


def _front(text: str, where: str) -> FrontMatter | None:
    fields: dict[str, Any] = {}
    at = 0
    while entry := _ENTRY.match(text, at):
        name = entry.lastgroup or ""
        if name in fields:
            return None
        fields[name] = " ".join(entry[name].split("\n  ")).lstrip()
        at = entry.end()
    fields["needs"] = [each.strip() for each in fields.get("needs", "").split(",") if each]
    fields["source"] = fields["learned"] = ()  # Outlines do not contain these two fields.
    try:
        if at < len(text):
            # This module is slow to import and rarely needed.
            from tutor.course.reading.blocks import decode

            return decode(text.removesuffix("\n"), FrontMatter, Place(where, 2))
        front = msgspec.convert(fields, FrontMatter, strict=False)
    except (LessonError, msgspec.ValidationError):
        return None
    return front if (front.title + front.summary).isprintable() else None


class _Scan:
    """The outline that the scan has found so far, up to position `at` of the text."""

    def __init__(self, text: str, start: int) -> None:
        self.at = start
        self._text = text
        self._line = 1
        self._counted = 0
        """The position up to which `_line` has counted line endings."""
        self._screens: list[ScreenOutline] = []
        self._labs: list[LabOutline] = []
        self._predictions: list[PredictionOutline] = []
        self._questions: list[QuestionOutline] = []
        self._with_text: set[str] = set()
        self._fences = 0

    def take(self, piece: re.Match[str]) -> bool:
        """Process the next heading or block. Return False if the file must be parsed instead."""
        begin = piece.start()
        title_and_id, fence, info, inside = piece.groups()
        if _INK.search(self._text, self.at, begin):
            self._has_text()
        self.at = piece.end()
        if fence:
            self._fences += 1
            if not self._screens:
                return False
            if info == "question":
                return self._question(inside, begin + 1)
            if info not in ("numbers", "measured"):
                self._has_text()
            if info == "predict":
                return self._named(PredictionOutline, self._predictions, inside, begin + 1)
            return info != "lab" or self._named(LabOutline, self._labs, inside, begin + 1)
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

    def _named(
        self,
        kind: Callable[[str, int], Named],
        found: list[Named],
        inside: str,
        begin: int,
    ) -> bool:
        """Add a prediction or a lab to the outline. Return False if its id cannot be found."""
        fields = _fields(inside)
        if "id" in fields:
            found.append(kind(fields["id"], self._line_at(begin)))
        return "id" in fields

    def _question(self, inside: str, begin: int) -> bool:
        version, screen = "1", self._screens[-1].id
        usual = _USUAL.match(inside)
        if usual and "\nversion:" not in inside and "\nscreen:" not in inside:
            name, kind = usual.groups()
        else:
            fields = _fields(inside)
            name, kind = fields.get("id", ""), fields.get("type", "")
            version, screen = fields.get("version", version), fields.get("screen", screen)
        if not name or kind not in _TYPES or not version.isdigit():
            return False
        line = self._line_at(begin)
        self._questions.append(QuestionOutline(name, int(version), kind, screen, line))
        return True

    def outline(self, front: FrontMatter, file: str) -> Outline | None:
        if _INK.search(self._text, self.at):
            self._has_text()
        if (
            self._text.count("```") != 2 * self._fences
        ):  # Only the parser can tell which of these lines begin a block.
            return None
        screens = tuple(screen for screen in self._screens if screen.id in self._with_text)
        parts = (*self._screens, *self._predictions, *self._labs, *self._questions)
        ids = [part.id for part in parts]
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
                each if each.screen in known else msgspec.structs.replace(each, screen=None)
                for each in self._questions
            ),
            file=file,
            predictions=tuple(self._predictions),
        )


def _fields(inside: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for field in _FIELD.finditer(inside):
        fields.setdefault(field[1], field[2])
    return fields

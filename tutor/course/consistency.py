"""Check a course for problems that involve several files.

These are duplicate ids, missing or circular prerequisites, and broken links.
"""

from collections.abc import Container, Iterator, Mapping, Sequence

import msgspec

from tutor.course.links import GLOSSARY, Link
from tutor.course.outline import LabOutline, Outline, PredictionOutline, QuestionOutline
from tutor.course.reading.place import Place
from tutor.errors import LessonError


class UsableOutlines(msgspec.Struct, frozen=True):
    """The lessons that can be used together, and the problems of all other lessons.

    `outlines` are sorted by number. A lesson cannot be used if another lesson already has its id,
    its number, or the id of one of its parts.
    """

    outlines: tuple[Outline, ...]
    problems: tuple[LessonError, ...]


def usable_outlines(
    outlines: Sequence[Outline], terms: Container[str] | None, glossary_links: Sequence[Link] = ()
) -> UsableOutlines:
    """Return the outlines of the lessons that can be used together.

    `outlines` are in the order of their files. If two of them conflict, the first one is used.
    `terms` are the ids in the glossary, or None if the glossary has not been read yet.
    """
    problems: list[LessonError] = []
    kept: list[Outline] = []
    taken: dict[str | int, str] = {}
    for outline in outlines:
        problem = _taken(outline, taken)
        if problem is not None:
            problems.append(problem)
            continue
        kept.append(outline)
        for key in _keys(outline):
            taken[key] = outline.title
    problems += _needs(kept)
    files = {outline.file: {screen.id for screen in outline.screens} for outline in kept}
    for outline in kept:
        problems += _links(outline.links, Place(outline.file), files, terms)
    problems += _links(glossary_links, Place(GLOSSARY), files, terms)
    kept.sort(key=lambda outline: outline.number)
    return UsableOutlines(tuple(kept), tuple(problems))


def _keys(outline: Outline) -> Iterator[str | int]:
    yield f"lesson {outline.id}"
    yield outline.number
    yield from (part.id for part in (*outline.predictions, *outline.labs, *outline.questions))


def _taken(outline: Outline, taken: Mapping[str | int, str]) -> LessonError | None:
    place = Place(outline.file)
    for key, what in (
        (f"lesson {outline.id}", f"id {outline.id!r}"),
        (outline.number, f"number {outline.number}"),
    ):
        if key in taken:
            return place.error(
                f"The {what} is already used by another lesson ({taken[key]!r}).",
                "Each lesson of a course needs its own id and number.",
            )
    parts: list[PredictionOutline | LabOutline | QuestionOutline] = [
        *outline.predictions,
        *outline.labs,
        *outline.questions,
    ]
    for part in parts:
        if part.id in taken:
            return Place(outline.file, part.line).error(
                f"The id {part.id!r} is already used by a part of {taken[part.id]!r}.",
                "Each prediction, lab and question of a course needs its own id.",
            )
    return None


def _needs(outlines: Sequence[Outline]) -> Iterator[LessonError]:
    """Yield errors for prerequisites that do not exist, and for cycles of prerequisites."""
    known = {outline.id: outline for outline in outlines}
    for outline in outlines:
        for needed in outline.needs:
            if needed not in known:
                yield Place(outline.file, outline.needs_line).error(
                    f"This lesson needs the lesson {needed!r}, which does not exist.",
                    "Correct the id, or remove it from `needs`.",
                )
    settled: set[str] = set()
    for outline in outlines:
        cycle = _cycle(outline.id, known, settled)
        if cycle:
            first = known[cycle[0]]
            yield Place(first.file, first.needs_line).error(
                f"This lesson needs itself: {' needs '.join((*cycle, cycle[0]))}.",
                "Remove one of these ids from `needs`.",
            )


def _cycle(start: str, known: Mapping[str, Outline], settled: set[str]) -> list[str]:
    """Return the ids of a cycle among the direct and indirect prerequisites of `start`.

    The result is empty if there is no cycle. `settled` contains the lessons that need no further
    check. The search is not recursive, because a chain of prerequisites can include every lesson of
    the course.
    """
    if start in settled:
        return []
    path, rest = [start], {start: iter(known[start].needs)}
    while path:
        following = next(rest[path[-1]], None)
        if following is None:
            settled.add(path.pop())
        elif following in settled or following not in known:
            continue
        elif following in rest:
            settled.update(path)
            return path[path.index(following) :]
        else:
            path.append(following)
            rest[following] = iter(known[following].needs)
    return []


def _links(
    links: Sequence[Link], place: Place, files: Mapping[str, set[str]], terms: Container[str] | None
) -> Iterator[LessonError]:
    for link in links:
        here = Place(place.file, link.line)
        if link.file == GLOSSARY:
            if link.anchor and terms is not None and link.anchor not in terms:
                yield here.error(
                    f"The link to {GLOSSARY}#{link.anchor} does not lead to a term.",
                    f"Add `## Term {{#{link.anchor}}}` to {GLOSSARY}, or correct the link.",
                )
        elif link.file not in files:
            yield here.error(
                f"The link to {link.file} does not lead to a lesson.", "Correct the file name."
            )
        elif link.anchor and link.anchor not in files[link.file]:
            yield here.error(
                f"The link to {link.file}#{link.anchor} does not lead to a screen of that lesson.",
                f"The screens are: {', '.join(sorted(files[link.file]))}.",
            )

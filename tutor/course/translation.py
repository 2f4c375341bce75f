"""Replace a lesson with its translation if both have the same parts.

Progress, links and the search refer to lessons, screens, labs, predictions and questions by id. A
translation must therefore have the same ids and versions as the original, with translated text.
"""

from collections.abc import Iterator

import msgspec

from tutor.course.outline import Outline
from tutor.course.reading.place import Place
from tutor.errors import LessonError


def translated(original: Outline, translation: Outline) -> tuple[Outline, list[LessonError]]:
    """Return the outline to use for a translated lesson, and the problems of the translation.

    The outline describes the translation or, if the translation has problems, the original. Its
    `file` is always the name of the original's file, because links use that name.
    """
    place = Place(translation.file)
    problems = [place.error(*each) for each in _differences(original, translation)]
    if problems:
        return original, problems
    language = translation.file.partition("/")[0]
    return msgspec.structs.replace(translation, file=original.file, language=language), []


def _differences(original: Outline, translation: Outline) -> Iterator[tuple[str, str]]:
    """Yield each difference between a translation and its original, with advice for the author."""
    for name in ("id", "number", "version"):
        if (ours := getattr(translation, name)) != (theirs := getattr(original, name)):
            yield (
                f"The {name} of this translation is {ours!r}, but the original has {theirs!r}.",
                "Translate the changes of the original, then copy its front matter.",
            )
    for kind, ours, theirs in (
        ("screens", translation.screens, original.screens),
        ("labs", translation.labs, original.labs),
        ("predictions", translation.predictions, original.predictions),
    ):
        yield from _other_ids(kind, [part.id for part in ours], [part.id for part in theirs])
    yield from _other_ids(
        "questions",
        [f"{each.id} (version {each.version}, {each.type})" for each in translation.questions],
        [f"{each.id} (version {each.version}, {each.type})" for each in original.questions],
    )


def _other_ids(kind: str, ours: list[str], theirs: list[str]) -> Iterator[tuple[str, str]]:
    """Yield a problem, with advice, if two lists of ids are not equal.

    `ours` are the ids in the translation, and `theirs` are the ids in the original. `kind` says
    what they identify, for example "screens".
    """
    if ours == theirs:
        return
    missing = [each for each in theirs if each not in ours]
    added = [each for each in ours if each not in theirs]
    said = [f"{each} is missing" for each in missing] + [
        f"{each} is not in the original" for each in added
    ]
    yield (
        f"The {kind} of this translation and of the original differ:"
        f" {'; '.join(said[:5]) or 'their order is different'}.",
        f"A translation has the same {kind} as the original, in the same order.",
    )

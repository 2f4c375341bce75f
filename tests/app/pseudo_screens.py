"""Opens screens in a pseudo-language and prints their text, as JSON.

    python -m tests.app.pseudo_screens LOCALES FOLDER [LAB...]

This must be a separate process, because the language is fixed when the first text is translated.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tutor import language

if __name__ == "__main__":  # before any module with translated constants is imported
    language.LOCALES = Path(sys.argv[1])
    os.environ[language.VARIABLE] = "qps"

import asyncio
from typing import TYPE_CHECKING, cast

import msgspec

from tests.app.explorer.explorer_stage import lines
from tests.app.pressing import settle, tap
from tests.app.whole_app import until, whole_app
from tests.labs.lab_stage import at_rest, lab_app
from tests.sample_course import LESSON
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, Guessed, LabDone, LessonState

if TYPE_CHECKING:
    from tutor.app.app import TutorApp

SIZE = (80, 24)


class Seen(msgspec.Struct):
    """The text of a screen, and the words on it that don't come from the interface."""

    lines: list[str]
    given: str = ""


class Visit(msgspec.Struct, frozen=True):
    """A screen: the name of its class, and the keys that open it.

    The keys are pressed on the course map, or on the screen before if `next_` is true.
    """

    screen: str
    keys: tuple[str, ...] = ()
    next_: bool = False


SKIP_THREE = ("tab", "s") * 3
VISITS = {
    "home": Visit("HomeScreen"),
    "help of the course map": Visit("HelpScreen", ("question_mark",)),
    "tour": Visit("TourScreen", ("i",)),
    "end of the tour": Visit("TourScreen", ("enter", "enter"), next_=True),
    "labs": Visit("LabsScreen", ("l",)),
    "progress": Visit("ProgressScreen", ("p",)),
    "review": Visit("ReviewScreen", ("r",)),
    "model": Visit("ModelScreen", ("m",)),
    "search": Visit("SearchScreen", ("slash",)),
    "glossary": Visit("GlossaryScreen", ("v",)),
    "stepper": Visit("ExplorerScreen", ("s",)),
    "sampler": Visit("ExplorerScreen", ("t",), next_=True),
    "x-ray": Visit("XRayScreen", ("escape", "x"), next_=True),
    "why": Visit("XRayScreen", ("tab", "tab"), next_=True),
    "map of contributions": Visit("XRayScreen", ("tab",), next_=True),
    "tokens": Visit("XRayScreen", ("tab",), next_=True),
    "all heads": Visit("XRayScreen", ("tab",), next_=True),
    "lens map": Visit("XRayScreen", ("tab",), next_=True),
    "help of the stepper": Visit("HelpScreen", ("escape", "question_mark"), next_=True),
    "chat": Visit("ExplorerScreen", ("c",)),
    "guessing game": Visit("GuessScreen", ("g",)),
    "lesson": Visit("LessonScreen", ("enter",)),
    "help of a lesson": Visit("HelpScreen", ("question_mark",), next_=True),
    "question": Visit("QuizScreen", ("enter", "a")),
    "answered": Visit("QuizScreen", ("a", "enter"), next_=True),
    "help of a question": Visit("HelpScreen", ("question_mark",), next_=True),
    "end of the lesson": Visit("ResultScreen", ("escape", "enter", *SKIP_THREE), next_=True),
}


def learner(folder: Path, now: float) -> None:
    """Save the progress of a learner who has answered questions and played the guessing game."""
    progress = Progress.open(folder)
    progress.save_lesson(LessonState(lesson=LESSON.id, screen="distribution", seen=("question",)))
    for question, correct in (("cosine", True), ("bits", False), ("unit", True)):
        progress.record(
            Answered(at=now, question=question, version=1, lesson=LESSON.id, correct=correct)
        )
    progress.record(LabDone(at=now, lab="unsure", lesson=LESSON.id))
    guess = Guessed(
        at=now, text="a", guess="b", actual="c", rank=3, learner_bits=4.5, model_bits=2.5
    )
    progress.record(guess)


async def main_screens(folder: Path) -> dict[str, Seen]:
    learner(folder, 1.7e9)
    found = {}
    async with whole_app(folder).run_test(size=SIZE) as pilot:
        app = cast("TutorApp", pilot.app)
        await until(pilot, lambda: "Fake-1K ●" in "\n".join(lines(app)))
        for name, visit in VISITS.items():
            while not visit.next_ and len(app.screen_stack) > 1:
                await tap(pilot, "escape")
                await settle(pilot)
            for key in visit.keys:
                await tap(pilot, key)
                await settle(pilot)
            assert type(app.screen).__name__ == visit.screen, (name, app.screen, lines(app))
            found[name] = Seen(lines(app))
    return found


async def first_state(name: str, folder: Path) -> Seen:
    async with lab_app(name, folder).run_test(size=SIZE) as pilot:
        await at_rest(pilot)
        app = cast("TutorApp", pilot.app)
        return Seen(lines(app), repr(app.screen.state))  # type: ignore[attr-defined]


async def run(folder: Path, labs: list[str]) -> dict[str, Seen]:
    if not labs:
        return await main_screens(folder)
    return {name: await first_state(name, folder / name) for name in labs}


if __name__ == "__main__":
    seen = asyncio.run(run(Path(sys.argv[2]), sys.argv[3:]))
    sys.stdout.buffer.write(msgspec.json.encode(seen))

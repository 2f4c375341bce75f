"""The whole app with a malicious course, learner and model.

Every text of theirs tries to act on the terminal, to be taken for markup, or to break the layout.
The lesson linter refuses such files; here they bypass it. Run with the learner's folder.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TypedDict

import msgspec

from tutor.app import lifetime
from tutor.app.app import TutorApp
from tutor.course.catalogue import Course
from tutor.course.lesson import Lab, Lesson, Screen, TookRankAtLeast
from tutor.course.questions.choices import Choice
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.course.questions.number import NumberQuestion
from tutor.course.questions.order import OrderQuestion
from tutor.course.questions.several import SeveralChoices
from tutor.course.questions.single import SingleChoice
from tutor.course.questions.text import TextQuestion
from tutor.errors import LessonError
from tutor.learner.progress import Progress
from tutor.learner.records import Guessed, LessonState

ILL = (
    "\x1b]0;renamed\x07"  # an operating system command: the title
    "\x1b]52;c;eA==\x07\x1b]8;;file:///\x1b\\"  # the clipboard, a link
    "\x1b[31m\x1b[2J\x9b31m"  # colors and erasing, with both kinds of introducer
    "\x1bPq\x1b\\\x1b_G\x1b\\"  # device control: pictures
    "\u202e\u2066\u200b\u200d\ufeff"  # text direction, and characters without width
    "[/][bold red]$accent[@click=app.quit]"  # markup
    "\u0301\U000e0041"  # a mark without its letter, an invisible tag
)


PILE = "o" + "\u0301" * 10_000
"""Combining marks on one letter, which reach far beyond its line."""


class Common(TypedDict):
    """The fields that every question has."""

    hint: str
    why: str
    screen: str


def ill(name: str) -> str:
    """Return a hostile text that begins with its name, so that a test sees that it was shown."""
    return f"{name}{ILL}{'long' * 60} end"


_COMMON: Common = {"hint": ill("HINT"), "why": ill("WHY"), "screen": "text"}
_CHOICES = tuple(
    Choice(text=ill(f"CHOICE{number}") + PILE, why=ill(f"BECAUSE{number}"), right=number == 0)
    for number in range(3)
)
LESSON = Lesson(
    id="ill",
    number=1,
    version=1,
    title=ill("TITLE"),
    summary=ill("SUMMARY"),
    screens=(
        Screen(
            id="text",
            title=ill("HEADING"),
            body=f"{ill('BODY')}\n\n{PILE}\n\n- {ill('ITEM')}\n\n| a | b |\n|---|---|\n"
            f"| {ill('CELL')} | x |\n\n```\n{ill('CODE')}\n```\n\n"
            f"[{ill('LINK')}](file:///etc/passwd) <b>{ill('TAG')}",
        ),
        Screen(
            id="lab",
            title=ill("HEADING2"),
            body=ill("BODY2"),
            lab=Lab(
                id="lab",
                kind="stepper",
                task=ill("TASK"),
                prompt=f"PROMPT{ILL}",
                goals=(TookRankAtLeast(rank=2),),
                done=ill("DONE"),
            ),
        ),
    ),
    questions=(
        SingleChoice(id="single", ask=ill("ASK1"), choices=_CHOICES, **_COMMON),
        SeveralChoices(id="several", ask=ill("ASK2"), choices=_CHOICES, **_COMMON),
        NumberQuestion(id="number", ask=ill("ASK3"), answer=1, unit=f"UNIT{ILL}"[:30], **_COMMON),
        OrderQuestion(
            id="order", ask=ill("ASK4"), items=(ill("ONE"), ill("TWO"), ill("THREE")), **_COMMON
        ),
        TextQuestion(id="text-question", ask=ill("ASK5"), accept=("yes",), **_COMMON),
        NextTokenQuestion(id="token", ask=ill("ASK6"), prompt=f"START{ILL}", **_COMMON),
    ),
)


def main(folder: Path) -> int:
    progress = Progress.open(folder)
    if not progress.lessons():
        progress.save_lesson(LessonState(lesson="ill", screen=ill("x"), seen=(ill("y"),)))
        progress.record(
            Guessed(
                at=1.0,
                text=ill("x"),
                guess=ILL,
                actual=ILL,
                rank=2,
                learner_bits=3.0,
                model_bits=1.0,
            )
        )
    course = Course(lessons=(LESSON,), problems=(LessonError(ill("PROBLEM"), ill("NEXT")),))
    sys.path[:0] = [str(Path(__file__).parents[2])]
    from tests.engine.fake_engine import CARD, FakeEngine

    card = msgspec.structs.replace(CARD, name=f"MODEL{ILL}", path=ill("PATH"), format=ILL)
    return lifetime.run(TutorApp(course, progress, FakeEngine(card=card)))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""Answers questions in a real terminal as a learner does, and reads what the app shows.

Letters of choices and the order of items are read from the screen, because the app shuffles them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Self

from tests.terminal import Terminal
from tutor.app.widgets.inline import inline, plain
from tutor.app.widgets.selection import MARK
from tutor.course.lesson import Lesson
from tutor.course.questions.answers import Answer, is_sequence
from tutor.course.questions.choices import ChoiceQuestion
from tutor.course.questions.compare import ComparePrompts
from tutor.course.questions.match import MatchQuestion
from tutor.course.questions.order import OrderQuestion
from tutor.course.questions.question import Question

_PAINTED = 0.25
"""The seconds without output after which a page is complete: a page arrives in several parts."""

_LOADED = 300.0
"""The most seconds until the model has been loaded: a new learner's app first converts its file."""

_IN_FIELD = "enter reveal"
_NARROWEST = 40
"""The columns of a line that stay the same if there is less room beside a scroll bar."""

_END_OF_FEEDBACK = "saved"
"""The beginning of the last line that the app shows after an answer."""

_ANSWERS = "enter answer"
_VERDICT = re.compile(r" [✓×] ")
_MORE = re.compile(r"▼ \d+ more lines? below  (space|pgdn)")
_ABOVE = re.compile(r"▲ \d+ lines? above")
_BODY = slice(2, -2)
"""The lines between the status line and the key line."""

_MARKED = re.compile(r"^ *(?:[›↕] +)?(?:\[[x ]\] )?(?P<mark>[a-k1-9])  (?P<text>\S.*)$")
"""The first line of a choice, an item or a right side."""


class QuizTerminal(Terminal):
    """The app in a terminal of 80 by 24 cells, with keys for the questions of one lesson."""

    def __init__(self) -> None:
        super().__init__([sys.executable, "-m", "tutor"])
        self._questions: Sequence[Question] = ()
        self._first_page: list[str] = []
        self._asked: list[str] = []

    def __enter__(self) -> Self:
        return self

    def open_questions(self, lesson: Lesson) -> None:
        """Go from the course map to the first question of `lesson`."""
        self._questions = lesson.questions
        self.wait_for("Begin  ")
        self.wait_for("●", _LOADED)  # the model has been loaded
        row = re.compile(rf"^ *{MARK}\s+{lesson.number}  ", re.MULTILINE)
        while not row.search(self.text):
            self._press_and_see("down")
        self.press("enter")
        self.wait_for(f"1 of {len(lesson.screens)} ")
        if lesson.screens[0].prediction is not None:
            self.wait_for(_IN_FIELD)  # the letters belong to the prediction, which Enter skips
            self.press("enter")
            self.wait_gone(_IN_FIELD)
        self.press("a")

    def wait_for_question(self, number: int) -> None:
        """Wait until the question with this number is on the screen, from its first line on."""
        self.wait_for(f"question {number} of {len(self._questions)}")
        self.wait_until(self._shows_question, "the question")

    # --- reading ------------------------------------------------------------------------------

    @property
    def body(self) -> list[str]:
        """The lines of the text, without the line that says how many more there are."""
        between = self.text.splitlines()[_BODY]
        lines = [line for line in between if not (_MORE.search(line) or _ABOVE.search(line))]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def read_pages(self) -> list[str]:
        """Page down to the end with the key that the app names, and return all lines, each once."""
        self.wait_quiet(_PAINTED)
        self._first_page = lines = self.body
        while more := _MORE.search(self.text):
            lines = self._next_page(lines, {"space": "space", "pgdn": "pagedown"}[more[1]])
        return lines

    def read_feedback(self) -> list[str]:
        """Page down to the end of the feedback with Enter, and return all lines, each once."""
        self.wait_quiet(_PAINTED)
        lines = self.body
        while not self._shows_end():
            self.wait_until(
                lambda: bool(_MORE.search(self.text)) or self._shows_end(),
                "the end of the feedback",
            )
            if not self._shows_end():
                lines = self._next_page(lines, "enter")
        self.wait_quiet(_PAINTED)
        return _joined(lines, self.body)

    def _next_page(self, lines: list[str], key: str) -> list[str]:
        self._press_and_see(key)
        self.wait_quiet(_PAINTED)
        return _joined(lines, self.body)

    def _shows_end(self) -> bool:
        return any(line.lstrip().startswith(_END_OF_FEEDBACK) for line in self.body[-1:])

    def go_to(self, first: str) -> None:
        """Page up to `first`, the first line. A scroll bar may have changed where it ends."""
        self.wait_quiet(_PAINTED)
        while not self.body or self.body[0][:_NARROWEST] != first[:_NARROWEST]:
            self._press_and_see("pageup")

    def retry(self) -> None:
        """Ask the question again. Its choices are in the same order."""
        asked = self._asked
        self.press("r")
        self.wait_until(lambda: self.body == asked, "the question again")

    def _shows_question(self) -> bool:
        begins = " ".join(words(self.body[:1]))
        asked = any(asked_words(each).startswith(begins) for each in self._questions)
        return bool(begins) and asked and _ANSWERS in self.text.splitlines()[-1]

    def _shows_verdict(self) -> bool:
        """Return True if the app has scrolled to the verdict, as far as the text allows."""
        return self._shows_end() or any(map(_VERDICT.match, self.body[:1]))

    def _press_and_see(self, key: str) -> None:
        before = self.text
        self.press(key)
        self.wait_until(lambda: self.text != before, f"a change after {key!r}")

    # --- answering ----------------------------------------------------------------------------

    def answer(self, question: Question, answer: Answer, shown: Sequence[str]) -> None:
        """Enter and submit an answer to the question on the screen, whose lines are `shown`."""
        self._asked, marks = self._first_page, _marks(shown)
        match question:
            case ComparePrompts():
                assert isinstance(answer, int)
                self.press("ab"[answer])
            case ChoiceQuestion():
                letters = _mark_of(marks, [each.text for each in question.choices])
                assert isinstance(answer, int | Set)
                chosen = {answer} if isinstance(answer, int) else answer
                self.press(*(letters[place] for place in chosen))
            case MatchQuestion():
                assert is_sequence(answer)
                letters = _mark_of(marks, [pair.right for pair in question.pairs])
                self.press(*(letters[right] for right in answer))
            case OrderQuestion():
                assert is_sequence(answer)
                numbers = _mark_of(marks, question.items)
                current = sorted(range(len(numbers)), key=lambda item: numbers[item])
                self.press(*_moves(current, answer))
                if current == list(answer):
                    self.press("enter")
                    self.wait_for("Press Enter again to submit this order.")
            case _:
                assert isinstance(answer, str)
                self.press(answer)
        self.press("enter")
        self.wait_until(self._shows_verdict, "the verdict")


def shown_order(question: OrderQuestion, shown: Sequence[str]) -> tuple[int, ...]:
    """Return the indexes of the items from top to bottom on the screen."""
    numbers = _mark_of(_marks(shown), question.items)
    return tuple(sorted(range(len(numbers)), key=lambda item: numbers[item]))


def find(shown: Sequence[str], questions: Sequence[Question]) -> Question:
    """Return the question with whose text the screen begins."""
    text = " ".join(words(shown)) + " "
    found = [each for each in questions if text.startswith(f"{asked_words(each)} ")]
    assert found, f"The screen begins with no question of the lesson:\n{text}"
    return max(found, key=lambda each: len(each.ask))


def words(lines: Sequence[str]) -> list[str]:
    return " ".join(lines).split()


def _joined(above: list[str], below: list[str]) -> list[str]:
    """Join the lines of two pages, the second of which may repeat lines of the first."""
    most = min(len(above), len(below))
    same = next(n for n in range(most, -1, -1) if above[len(above) - n :] == below[:n])
    return above + below[same:]


def _marks(shown: Sequence[str]) -> dict[str, list[str]]:
    """Return the words of each choice, item or right side, by its letter or number."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in shown:
        if begins := _MARKED.match(line):
            current = found[begins["mark"]] = begins["text"].split()
        elif line.strip():
            current += line.split()
        else:
            current = []
    return found


def _mark_of(marks: Mapping[str, Sequence[str]], texts: Sequence[str]) -> list[str]:
    """Return the letter or number of each text on the screen."""
    by_words = {" ".join(shown): mark for mark, shown in marks.items()}
    return [by_words[inline_words(text)] for text in texts]


def asked_words(question: Question) -> str:
    return " ".join(plain(question.ask).split())


def inline_words(markdown: str) -> str:
    return " ".join(inline(markdown).plain.split())


def _moves(current: Sequence[int], wanted: Sequence[int]) -> Iterator[str]:
    """Yield the keys that bring items into the wanted order, from the first line on."""
    order, cursor = list(current), 0
    for line, item in enumerate(wanted):
        place = order.index(item)
        step = place - cursor
        yield from ["down" if step > 0 else "up"] * abs(step)
        cursor = place
        if place != line:
            yield from ["space", *["up"] * (place - line), "space"]
            order.insert(line, order.pop(place))
            cursor = line

"""Parse a lesson file: Markdown with front matter, in which each `##` heading begins a screen.

Predictions, labs, questions, quoted numbers, code and facts are fenced blocks. `lessons/README.md`
shows the format with examples. No part of a lesson file is executed. Every problem is a
`LessonError` that names the file, the line, and how to fix the problem.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from markdown_it.token import Token

from tutor.course.facts import Fact, FactsBlock, table
from tutor.course.lesson import FrontMatter, Lab, Lesson, Screen
from tutor.course.links import Link, follow
from tutor.course.measured import Measured
from tutor.course.model_value import Quoted
from tutor.course.outline import NEEDS
from tutor.course.prediction import Prediction
from tutor.course.questions.question import Question
from tutor.course.reading.blocks import decode
from tutor.course.reading.headings import title_and_id
from tutor.course.reading.include import code_block
from tutor.course.reading.markup import BLOCKS, markdown, place_of, refused, refused_within
from tutor.course.reading.place import Place, checked, text_of
from tutor.course.reading.section import Section
from tutor.errors import LessonError

T = TypeVar("T")

MAXIMUM_SCREEN_LINES = 60
"""The maximum number of lines in a screen's text, as counted in the file.

The linter warns much earlier, when a screen no longer fits on a small terminal.
"""


class Outcome(msgspec.Struct, frozen=True):
    """The result of parsing a lesson file: the lesson, or the problems that were found.

    `lines` maps the parts of the lesson to their line numbers in the file. The key of a screen,
    prediction, lab or question is its id. `number_name` returns the key of a quoted number, and
    `measured_name` returns the key of a block of measured numbers. `links` contains the links to
    other files of the course.
    """

    lesson: Lesson | None
    problems: tuple[LessonError, ...]
    lines: dict[str, int]
    links: tuple[Link, ...] = ()


def number_name(screen_id: str, index: int) -> str:
    """Return the key in `Outcome.lines` of the number at `index` in a screen's `numbers`."""
    return f"{screen_id}/numbers/{index}"


def measured_name(screen_id: str, index: int) -> str:
    """Return the key under which `Outcome.lines` stores the line of a block of measured numbers.

    `index` is the block's index in the screen's `measured`.
    """
    return f"{screen_id}/measured/{index}"


def parse_bytes(data: bytes, where: str, facts: Sequence[Fact] = ()) -> Lesson:
    """Parse the contents of a lesson file. Raises a `LessonError` for the first problem."""
    outcome = read_bytes(data, where, facts)
    if outcome.lesson is None:
        raise outcome.problems[0]
    return outcome.lesson


def read_bytes(data: bytes, where: str, facts: Sequence[Fact] = ()) -> Outcome:
    """Decode and parse the content of a lesson file."""
    try:
        text = text_of(data, where)
    except LessonError as problem:
        return Outcome(None, (problem,), {})
    return read(text, where, facts)


def read(text: str, where: str, facts: Sequence[Fact] = ()) -> Outcome:
    """Parse the text of a lesson file. Problems are collected instead of raised."""
    reader = _Reader(where, facts)
    lesson = reader.attempt(lambda: reader.lesson(text))
    problems = tuple(sorted(reader.problems, key=lambda problem: problem.line))
    return Outcome(None if problems else lesson, problems, reader.lines, tuple(reader.links))


class _Reader:
    """A parser for one lesson file, which collects all problems."""

    def __init__(self, file: str, facts: Sequence[Fact]) -> None:
        self.start = Place(file)
        self.facts = facts
        self.problems: list[LessonError] = []
        self.lines: dict[str, int] = {}
        self.links: list[Link] = []
        self._strayed = False

    def attempt(self, step: Callable[[], T]) -> T | None:
        try:
            return step()
        except LessonError as problem:
            self.problems.append(problem)
            return None

    def lesson(self, text: str) -> Lesson | None:
        text = checked(text, self.start.file)
        tokens = markdown().parse(text)
        front = self.attempt(lambda: self._front_matter(tokens))
        sections = self._sections(tokens, text.split("\n"))
        screens = tuple(self._screen(section) for section in sections if section.is_screen)
        ids = {screen.id for screen in screens}
        questions = self._questions(sections, ids)
        self.problems += refused(tokens, self.start)
        self._follow(tokens, self.start, ids)
        for question in questions:
            asked, place = markdown().parse(question.ask), self._place(question.id)
            self.problems += refused(asked, place)
            self._follow(asked, place, ids)
            for sentence in question.inline_texts():
                self.problems += refused_within(sentence, place)
        for screen in screens:
            if (prediction := screen.prediction) is not None:
                for sentence in prediction.inline_texts():
                    self.problems += refused_within(sentence, self._place(prediction.id))
        if not screens:
            self._refuse(self.start, "The lesson has no screens.", "Add `## Title {#screen-id}`.")
        if front is None:
            return None
        for sentence in front.learned:
            self.problems += refused_within(sentence, self.start)
        return Lesson(**msgspec.structs.asdict(front), screens=screens, questions=questions)

    def _front_matter(self, tokens: list[Token]) -> FrontMatter:
        if not tokens or tokens[0].type != "front_matter":
            raise self.start.error(
                "The file does not begin with front matter.",
                "Begin it with id, number, version, title and summary, between two lines of `---`.",
            )
        for line, written in enumerate(tokens[0].content.split("\n"), start=1):
            if written.startswith("needs:"):
                self.lines[NEEDS] = self.start.below(line).line
        return decode(tokens[0].content, FrontMatter, self.start.below(1))

    def _sections(self, tokens: list[Token], lines: list[str]) -> list[Section]:
        """Split the file into sections at its `##` headings, and process the blocks in them."""
        sections: list[Section] = []
        upto = 0  # The number of lines that have been processed.
        for index, token in enumerate(tokens):
            if token.map is None or token.level > 0 or token.type == "front_matter":
                upto = max(upto, token.map[1] if token.type == "front_matter" and token.map else 0)
                continue
            begin, end = token.map
            if token.type == "heading_open" and token.tag == "h2":
                if sections:
                    sections[-1].text += lines[upto:begin]
                sections.append(self._section(tokens[index + 1], self.start.below(begin)))
                upto = end
            elif not sections:
                self._stray(token)
            elif token.type == "fence" and token.info.strip() in BLOCKS:
                sections[-1].text += lines[upto:begin]
                sections[-1].end_paragraph()
                upto = end
                self._block(token, sections[-1])
        if sections:
            sections[-1].text += lines[upto:]
        return sections

    def _section(self, heading: Token, place: Place) -> Section:
        try:
            title, screen_id = title_and_id(heading, place)
        except LessonError as problem:
            self.problems.append(problem)
            return Section(place, f"line-{place.line}", "")
        self._name(screen_id, place)
        return Section(place, screen_id, title)

    def _block(self, token: Token, section: Section) -> None:
        """Process one block: remove it from the text, or replace it with code or a table."""
        place = place_of(token, self.start)
        inside = place.below(1)

        def decoded(kind: Any) -> Any:
            return self.attempt(lambda: decode(token.content, kind, inside))

        match token.info.strip():
            case "predict":
                if (prediction := decoded(Prediction)) is not None:
                    section.predictions.append(prediction)
                    self._name(prediction.id, place)
            case "lab":
                if (lab := decoded(Lab)) is not None:
                    section.labs.append(lab)
                    self._name(lab.id, place)
            case "question":
                if (question := decoded(Question)) is not None:
                    section.questions.append(question)
                    self._name(question.id, place)
            case "numbers":
                self._numbers(decoded(tuple[Quoted, ...]) or (), token, section)
            case "measured":
                if (measured := decoded(Measured)) is not None:
                    self.lines[measured_name(section.id, len(section.measured))] = place.line
                    section.measured.append(measured)
            case "include":
                code = self.attempt(lambda: code_block(token.content, inside))
                section.text += ["", *(code or ())]
            case "facts":
                section.text += ["", *(self.attempt(lambda: self._table(token)) or ())]

    def _numbers(self, numbers: tuple[Quoted, ...], token: Token, section: Section) -> None:
        place = place_of(token, self.start)
        if section.numbers:
            self._refuse(
                place,
                f"The screen {section.id!r} has a second block of numbers.",
                "Put all numbers of a screen into one block.",
            )
        section.numbers.append(numbers)
        written = token.content.split("\n")
        starts = [line for line, text in enumerate(written, start=1) if text.startswith("- ")]
        for index, line in enumerate(starts):
            self.lines[number_name(section.id, index)] = place.below(line).line

    def _table(self, token: Token) -> list[str]:
        place = place_of(token, self.start)
        return table(decode(token.content, FactsBlock, place.below(1)), self.facts, place)

    def _follow(self, tokens: Sequence[Token], start: Place, screens: set[str]) -> None:
        links, dead = follow(tokens, start, screens, self.start.file, "screen of this lesson")
        self.links += links
        self.problems += dead

    def _screen(self, section: Section) -> Screen:
        for second in (*section.predictions[1:2], *section.labs[1:2]):
            what = "lab" if isinstance(second, Lab) else "prediction"
            self._refuse(
                self._place(second.id),
                f"The screen {section.id!r} has a second {what}.",
                "Move it to its own screen.",
            )
        body = section.body
        if not body and not section.labs and not section.predictions:
            problem = f"The screen {section.id!r} is empty."
            self._refuse(section.place, problem, "Add text to it, or remove it.")
        if body.count("\n") >= MAXIMUM_SCREEN_LINES:
            self._refuse(
                section.place,
                f"The screen {section.id!r} is too long: {body.count(chr(10)) + 1} lines;"
                f" at most {MAXIMUM_SCREEN_LINES} are allowed.",
                "Split it, so that each screen covers one idea.",
            )
        return Screen(
            id=section.id,
            title=section.title,
            body=body,
            prediction=section.predictions[0] if section.predictions else None,
            lab=section.labs[0] if section.labs else None,
            numbers=section.numbers[0] if section.numbers else (),
            measured=tuple(section.measured),
        )

    def _questions(self, sections: list[Section], screens: set[str]) -> tuple[Question, ...]:
        """Return all questions of the lesson.

        A question without the field `screen` belongs to the screen that contains it.
        """
        found: list[Question] = []
        for section in sections:
            for question in section.questions:
                if question.screen is None and section.is_screen:
                    question = msgspec.structs.replace(question, screen=section.id)
                elif question.screen is not None and question.screen not in screens:
                    self._refuse(
                        self._place(question.id),
                        f"The question {question.id!r} refers to a screen"
                        f" {question.screen!r} that does not exist.",
                        f"The screens are: {', '.join(sorted(screens)) or 'none'}.",
                    )
                found.append(question)
        return tuple(found)

    def _name(self, name: str, place: Place) -> None:
        """Record the line that defines an id. Report the id if this file already uses it."""
        if name in self.lines:
            self._refuse(
                place,
                f"The id {name!r} is already used on line {self.lines[name]}.",
                "Choose another id; ids are unique in a file.",
            )
        else:
            self.lines[name] = place.line

    def _stray(self, token: Token) -> None:
        """Report text before the first screen, but only once.

        `#` headings are left out, because they are reported separately.
        """
        if self._strayed or token.tag == "h1":
            return
        self._strayed = True
        self._refuse(
            place_of(token, self.start),
            "This text is before the first screen.",
            "Begin each screen with `## Title {#screen-id}`;"
            " the lesson's title is in the front matter.",
        )

    def _place(self, name: str) -> Place:
        """Return the position of a screen, prediction, lab or question, given its id."""
        return Place(self.start.file, self.lines[name])

    def _refuse(self, place: Place, problem: str, next_step: str) -> None:
        self.problems.append(place.error(problem, next_step))

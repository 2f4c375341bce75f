"""Test that plain mode uses the settings in config.toml, as the app and the commands do."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from tests.plain.test_transcripts import progress_of
from tests.shipped_course import shipped_course
from tutor.app.widgets.figures import when
from tutor.course.questions.text import TextQuestion
from tutor.learner.records import Answered
from tutor.learner.schedule import due_at
from tutor.plain import markdown
from tutor.settings.file import config_file

if TYPE_CHECKING:
    from tests.cli.command_line import Tutor
    from tests.plain.session import Machine
    from tutor.course.questions.question import Question

_DAY = 86_400.0


def configure(text: str) -> None:
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text(text)


def answered(machine: Machine, *questions: Question, days_ago: float) -> None:
    """Record a right answer to each of these questions of the first lesson."""
    progress = progress_of(machine)
    for question in questions:
        progress.record(
            Answered(
                at=progress.clock() - days_ago * _DAY,
                question=question.id,
                version=question.version,
                lesson=shipped_course().lessons[0].id,
                correct=True,
            )
        )


def some_questions(count: int) -> list[Question]:
    lesson = shipped_course().lessons[0]
    return list(islice((each for each in lesson.questions if not each.asks_model), count))


def test_a_lower_retention_asks_later(machine: Machine, tutor_process: Tutor) -> None:
    """After three days, one right answer is due for a retention of 90 %, but not for 85 %."""
    answered(machine, *some_questions(1), days_ago=3)
    said = machine.say("review", "back", "progress")
    assert "1 question is due for review." in said.lines
    assert "1 question due today, 0 more in the next six days." in said.lines
    configure("[review]\nretention = 0.85\n")
    assert tutor_process("review", "--due").out == "0\n"
    said = machine.say("review", "back", "progress")
    assert "Nothing is due." in said.lines
    assert "0 questions due today, 1 more in the next six days." in said.lines


def test_the_next_review_is_on_the_day_of_the_retention(machine: Machine) -> None:
    configure("[review]\nretention = 0.85\n")
    lesson = shipped_course().lessons[0]
    question = next(each for each in lesson.questions if isinstance(each, TextQuestion))
    answered(machine, question, days_ago=20)
    said = machine.say("review", question.accept[0])
    progress = progress_of(machine)
    at = progress.events()[-1].at
    card = progress.cards()[question.id]
    expected = when(due_at(card, 0.85), at)
    assert expected != when(card.due, at)
    assert any(f"The next review of this question is {expected}." in line for line in said.lines)


def test_reviews_a_day_are_limited(machine: Machine, tutor_process: Tutor) -> None:
    configure("[review]\na_day = 5\n")
    answered(machine, *some_questions(7), days_ago=30)
    assert tutor_process("review", "--due").out == "5\n"
    said = machine.say("review", *["skip"] * 5)
    assert any(line.startswith("5 questions are due for review.") for line in said.lines)
    # The course map says it first, and then the end of the review.
    assert said.lines.count("2 more are due, over the limit of 5 reviews a day.") == 2
    assert "To change the limit, run: tutor review --cap NUMBER" in said.lines


def test_questions_over_the_limit_are_not_called_due_later(machine: Machine) -> None:
    configure("[review]\nnew_a_day = 0\n")
    first, second = some_questions(2)
    answered(machine, first, days_ago=30)
    answered(machine, second, days_ago=0)
    said = machine.say("progress", "review", "ahead", "back")
    over = "1 question is due, over the limit of 0 new questions a day."
    assert said.lines.count(over) == 3
    assert "Today's limit is reached." in said.lines
    assert not any(line.startswith("The next question is due") for line in said.lines)
    asked = markdown.read(first.ask).lines[0]
    assert any(line.startswith("Review, 1 left.") and line.endswith(asked) for line in said.lines)


def test_a_new_text_has_the_sampler_of_the_settings(machine: Machine) -> None:
    configure("[sampler]\ntop_k = 5\n")
    said = machine.say("step", "settings")
    assert any(line.startswith("Temperature 1, top-k 5, top-p 1, min-p 0.") for line in said.lines)


def test_an_invalid_setting_is_named_at_the_start(machine: Machine) -> None:
    configure('mouse = "sometimes"\n')
    said = "\n".join(machine.say("help").lines)
    assert 'mouse must be one of auto, off, on; it is "sometimes".' in said

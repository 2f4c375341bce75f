"""Test a class report against a naive count over all logs, and the protection of small groups."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.classroom.class_of_learners import (
    COURSE,
    LESSON,
    NOW,
    QUESTIONS,
    answer,
    clock,
    learner,
    logged,
)
from tutor.classroom.folders import Found
from tutor.classroom.learner import Row
from tutor.classroom.reading import Class, read_class
from tutor.classroom.report import FEWEST, FEWEST_ALIKE, Report, report
from tutor.course.questions.single import SingleChoice
from tutor.learner.clock import LATEST
from tutor.learner.progress import Progress
from tutor.learner.records import (
    Answered,
    Forgotten,
    GoalReached,
    LessonState,
    LogEvent,
    Suspended,
    Undone,
    identified,
)
from tutor.learner.storage import encoded

COSINE = QUESTIONS["cosine"]
assert isinstance(COSINE, SingleChoice)
CHOICES = [choice.text for choice in COSINE.choices]


def reported(folders: Sequence[Path]) -> Report:
    return report(COURSE, class_of(folders).learners)


def class_of(folders: Sequence[Path]) -> Class:
    found = [Found(folder, f"learner {number}") for number, folder in enumerate(folders)]
    return read_class(COURSE, found, lambda each: each.name, clock)


# --- against a naive count ------------------------------------------------------------------------

names = st.sampled_from(["cosine", "unit", "gone"])
times = st.integers(1, 6).map(float)


def answers(questions: st.SearchStrategy[str]) -> st.SearchStrategy[Answered]:
    return st.builds(
        Answered,
        at=times,
        question=questions,
        version=st.sampled_from([1, 1, 1, 2]),
        lesson=st.just(LESSON.id),
        correct=st.booleans(),
        answer=st.sampled_from(["1", "3", "4", "9", "word"]),
        zone=st.just(0),
    )


others = st.one_of(
    answers(names),
    st.builds(Forgotten, at=times, lesson=st.just(LESSON.id), questions=st.tuples(names)),
    st.builds(Suspended, at=times, question=names),
    st.integers(0, 5),  # undoes one of the answers so far
)
events = st.tuples(
    st.lists(answers(st.just("cosine")), min_size=2, max_size=3),
    st.lists(others, max_size=4),
).map(lambda parts: [*parts[0], *parts[1]])
"""The number of answers to one question, enough for a class figure."""


def log_of(drawn: Sequence[LogEvent | int]) -> list[LogEvent]:
    log: list[LogEvent] = []
    for each in drawn:
        given_so_far = [event for event in log if isinstance(event, Answered)]
        if not isinstance(each, int):
            log.append(identified(each))
        elif given_so_far:
            taken = given_so_far[each % len(given_so_far)]
            log.append(identified(Undone(at=9.0, answer=taken.id, question=taken.question)))
    return log


def counted_naively(log: Sequence[LogEvent], name: str) -> list[Answered]:
    """Return the answers to a question that count, the earliest first."""
    undone = {event.answer for event in log if isinstance(event, Undone)}
    forgotten = [e.at for e in log if isinstance(e, Forgotten) and name in e.questions]
    kept = [
        event
        for event in log
        if isinstance(event, Answered)
        and event.question == name
        and event.id not in undone
        and event.at > max(forgotten, default=0.0)
    ]
    return sorted(kept, key=lambda event: (event.at, event.id))


def mistake_naively(name: str, text: str) -> str:
    if name == "cosine":
        return CHOICES[int(text) - 1] if text in "1234" else ""
    return text


@settings(max_examples=30)
@given(st.lists(events, min_size=FEWEST, max_size=7))
def test_it_equals_a_naive_count(drawn: list[list[LogEvent | int]]) -> None:
    logs = [log_of(each) for each in drawn]
    with tempfile.TemporaryDirectory() as place:
        folders = [Path(place) / f"{number}" for number in range(len(logs))]
        for folder, log in zip(folders, logs, strict=True):
            logged(folder, log)
        found = reported(folders)
    for row, log in zip(found.learners, logs, strict=True):
        last = [counted_naively(log, name) for name in QUESTIONS]
        current = [
            max(group, key=lambda event: (event.version, event.at, event.id))
            for group in last
            if group and max(event.version for event in group) == 1
        ]
        assert (row.answered, row.right) == (len(current), sum(e.correct for e in current))
    told = {each.question: each for each in found.questions}
    left_out = 0
    for name in QUESTIONS:
        counting = [[e for e in counted_naively(log, name) if e.version == 1] for log in logs]
        first = [group[0] for group in counting if group]
        if len(first) < FEWEST:
            assert name not in told
            left_out += bool(first)
            continue
        wrong = [event.answer for event in first if not event.correct]
        assert (told[name].learners, told[name].wrong) == (len(first), len(wrong))
        counts = Counter(mistake_naively(name, text) for text in wrong)
        del counts[""]
        most = max(counts.values(), default=0)
        assert told[name].alike == (most if most >= FEWEST_ALIKE else 0)
        assert told[name].mistake in ([""] if most < FEWEST_ALIKE else [*counts])
    assert found.questions_left_out == left_out


# --- contents --------------------------------------------------------------------------------


def class_that_errs(tmp_path: Path, wrong: int, right: int) -> list[Path]:
    """Make a class in which `wrong` learners take the third choice, and `right` the right one."""
    texts = ["3"] * wrong + ["2"] * right
    return [
        learner(tmp_path / f"{number}", answer("cosine", text, correct=text == "2"))
        for number, text in enumerate(texts)
    ]


def test_the_most_difficult_question_and_the_common_mistake(tmp_path: Path) -> None:
    folders = class_that_errs(tmp_path, wrong=4, right=2)
    learner(folders[5], answer("cosine", "1", correct=False, at=NOW))  # later: does not count
    folders.append(learner(tmp_path / "other", answer("cosine", "1", correct=False)))
    [question] = reported(folders).questions
    assert (question.learners, question.wrong, question.share) == (7, 5, 5 / 7)
    assert (question.mistake, question.alike) == ("10", 4)
    assert question.asks.startswith("Two vectors point the same way")


def test_fewer_than_five_learners_give_no_figure(tmp_path: Path) -> None:
    folders = class_that_errs(tmp_path, wrong=4, right=1)
    found = reported(folders[:4])
    assert (found.questions, found.ideas) == ((), ())
    assert (found.questions_left_out, found.ideas_left_out) == (1, 1)
    found = reported(folders)
    assert (found.questions_left_out, found.ideas_left_out) == (0, 0)
    [idea], [question] = found.ideas, found.questions
    assert (idea.learners, idea.right, question.learners) == (5, 1 / 5, 5)


def test_a_mistake_of_two_learners_is_not_shown(tmp_path: Path) -> None:
    [question] = reported(class_that_errs(tmp_path, wrong=2, right=4)).questions
    assert (question.wrong, question.mistake, question.alike) == (2, "", 0)


def test_the_place_of_each_learner(tmp_path: Path) -> None:
    reading = Progress.open(tmp_path / "reading", clock=clock)
    reading.save_lesson(LessonState(lesson=LESSON.id, screen="again", visited_at=NOW - 86_400))
    asking = Progress.open(tmp_path / "asking", clock=clock)
    order = tuple(QUESTIONS)
    asking.save_lesson(LessonState(lesson=LESSON.id, question=order[0], quiz_order=order))
    Progress.open(tmp_path / "new", clock=clock).save_setting("here", True)
    another = Progress.open(tmp_path / "another", clock=clock)
    another.save_lesson(LessonState(lesson="gone", screen="x", visited_at=NOW))
    rows = reported([tmp_path / name for name in ("reading", "asking", "new", "another")])
    title = LESSON.title
    assert [(row.number, row.title, row.place) for row in rows.learners] == [
        (2, title, "3 of 3"),
        (2, title, "questions"),
        (None, "", ""),
        (None, "", ""),
    ]
    days = [row.last_day for row in rows.learners]
    assert days[2] is None
    assert days[0] is not None
    assert days[1] is not None
    assert (days[1] - days[0]).days == 1


def test_a_lesson_of_which_only_a_lab_was_done_was_not_opened(tmp_path: Path) -> None:
    goal = GoalReached(at=NOW, lab="unsure", lesson=LESSON.id, goal="x")
    [row] = reported([learner(tmp_path / "a", goal)]).learners
    assert (row.number, row.place) == (None, "")
    assert row.last_day is not None


def test_questions_left_for_later_count_for_nothing(tmp_path: Path) -> None:
    """An idea is known for good if the only question answered about it is."""
    [row] = reported([learner(tmp_path / "a", answer("cosine", "2", correct=True))]).learners
    day = 86_400.0
    stays = [
        answer("cosine", "2", correct=True, at=NOW - days * day) for days in (120, 110, 80, 10, 0)
    ]
    [known] = reported([learner(tmp_path / "b", *stays)]).learners
    assert row.mastery is not None
    assert known.mastery is not None
    assert 0 < row.mastery < 0.2
    assert known.mastery == pytest.approx(1)  # "unit" is about the same screen
    assert known.recall == pytest.approx(1)
    assert row.strength is not None
    assert known.strength is not None
    assert row.strength < 7 < 90 < known.strength


# --- damaged and hostile --------------------------------------------------------------------------


def test_unreadable_learners_are_listed_and_the_others_reported(tmp_path: Path) -> None:
    good = class_that_errs(tmp_path, wrong=1, right=1)
    damaged = learner(tmp_path / "damaged", answer("cosine", "2", correct=True))
    (damaged / "progress.json").write_bytes(b"{")
    (damaged / "progress.json.bak").write_bytes(b"")
    newer = learner(tmp_path / "newer", answer("cosine", "2", correct=True))
    tables = json.loads((newer / "progress.json").read_bytes())
    del tables["about"]
    (newer / "progress.json").write_bytes(encoded(tables, 99))
    odd = learner(tmp_path / "odd")
    (odd / "progress.json").unlink()
    (odd / "progress.json").mkdir()
    class_ = class_of([*good, damaged, newer, odd, tmp_path / "gone"])
    rows = {each.row.name: each.row for each in class_.learners}
    assert [rows[f"learner {number}"].answered for number in (0, 1, 2, 3)] == [1, 1, 1, 1]
    said = {each.where: each.why for each in class_.unread}
    assert "damaged" in said["learner 2"]
    assert "newer" in said["learner 3"]
    assert "skipped" in said[str(tmp_path / "gone")]


def test_text_from_logs_is_safe_and_bounded(tmp_path: Path) -> None:
    hostile = "\x1b]0;gotcha\x07\u202e" + "A" * 5000
    folders = [
        learner(
            tmp_path / f"{number}",
            answer("unit", hostile[:150], correct=False),
            answer(hostile, hostile, correct=False),
            msgspec.structs.replace(answer("cosine", "3", correct=False), lesson=hostile),
            answer("bits", "=HYPERLINK()", correct=False, at=1e300),
        )
        for number in range(5)
    ]
    found = reported(folders)
    assert {each.question for each in found.questions} == {"unit", "cosine", "bits"}
    for each in found.questions:
        assert each.mistake.isprintable()
        assert len(each.mistake) < 1500
    assert found.learners[0].last_day == date.fromtimestamp(LATEST)


def test_learners_are_sorted_by_name_and_not_by_folder(tmp_path: Path) -> None:
    folders = class_that_errs(tmp_path, wrong=3, right=0)
    names = ["c", "a", "b"]
    found = [Found(folder, name) for folder, name in zip(folders, names, strict=True)]
    class_ = read_class(COURSE, found, lambda each: each.name, clock)
    rows: tuple[Row, ...] = report(COURSE, class_.learners).learners
    assert [row.name for row in rows] == ["a", "b", "c"]

"""Test the schedule of reviews. The expected days come directly from py-fsrs, not from tutor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fsrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.learner import review
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, Card, Forgotten, Suspended, Undone, new_id
from tutor.learner.review import Limits, Queue, ReviewQuestion
from tutor.learner.schedule import RETENTION, Grade, due_at, grade, waits_shortest
from tutor.learner.state import LearnerState, fold
from tutor.settings.schema import ReviewSettings

DAY = 86_400.0
START = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Return a function that sets the learner's time zone, initially UTC."""

    def change(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    if not hasattr(time, "tzset"):
        pytest.skip("this system's time zone cannot be set for a test")
    change("UTC")
    yield change
    monkeypatch.undo()
    time.tzset()


def answer(question: str = "q", at: float = START, **more: Any) -> Answered:
    """Return a right answer with its own id, unless `more` says otherwise."""
    fields: dict[str, Any] = {"version": 1, "lesson": "l", "correct": True, "id": new_id()} | more
    return Answered(at=at, question=question, **fields)


def course(*questions: str, version: int = 1) -> dict[str, ReviewQuestion]:
    return {name: ReviewQuestion(name, version, "l", "screen") for name in questions}


def asked_at(state: LearnerState, now: float, **limits: int) -> list[str]:
    found = review.queue(state, course(*state.cards), now, Limits(**limits))
    return [item.question for item in found.due]


def by_fsrs(events: list[Answered]) -> fsrs.Card:
    """Return the card that py-fsrs computes. The grades are defined here independently of tutor."""
    scheduler = fsrs.Scheduler(enable_fuzzing=False, learning_steps=(), relearning_steps=())
    card = fsrs.Card(card_id=1)
    for event in events:
        rating = fsrs.Rating.Good
        if event.hinted or event.guessed or event.attempt > 1:
            rating = fsrs.Rating.Hard
        if not event.correct:
            rating = fsrs.Rating.Again
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=event.at)
        card, _ = scheduler.review_card(card, rating, at)
    return card


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"correct": False}, Grade.AGAIN),
        ({"correct": False, "guessed": True, "hinted": True}, Grade.AGAIN),
        ({"hinted": True}, Grade.HARD),
        ({"guessed": True}, Grade.HARD),
        ({"attempt": 2}, Grade.HARD),
        ({}, Grade.GOOD),
    ],
)
def test_the_grade_follows_from_what_happened(more: dict[str, Any], expected: Grade) -> None:
    assert grade(answer(**more)) is expected
    assert fsrs.Rating(expected).name.upper() == expected.name


def test_a_card_answered_today_comes_back_on_the_day_fsrs_says(tmp_path: Path) -> None:
    """The learner has a simulated clock, and answers whenever asked, right or wrong."""
    clock = [START]
    progress = Progress(tmp_path / "me", clock=lambda: clock[0])
    given: list[Answered] = []
    for correct in (True, True, True, False, True, True, True):
        given.append(answer(at=progress.clock(), correct=correct))
        progress.record(given[-1])
        expected = by_fsrs(given)
        again, now = Progress(tmp_path / "me"), clock[0]
        day_before = (expected.due - timedelta(days=1)).timestamp()
        assert (expected.due.timestamp() - now) % DAY == 0
        assert asked_at(again.state(), now) == asked_at(again.state(), day_before) == []
        clock[0] = expected.due.timestamp()
        assert asked_at(again.state(), clock[0] + 1) == ["q"]
    assert clock[0] > START + 30 * DAY


@given(
    st.lists(
        st.tuples(
            st.floats(0, 400 * DAY), st.booleans(), st.booleans(), st.booleans(), st.integers(1, 2)
        ),
        min_size=1,
        max_size=12,
    )
)
def test_every_schedule_matches_fsrs(
    answers: list[tuple[float, bool, bool, bool, int]],
) -> None:
    at, events = START, []
    for pause, correct, hinted, guessed, attempt in answers:
        at += pause
        events.append(
            answer(at=at, correct=correct, hinted=hinted, guessed=guessed, attempt=attempt)
        )
    card, expected = fold(LearnerState(), events).cards["q"], by_fsrs(events)
    assert card.stability == pytest.approx(expected.stability)
    assert card.difficulty == pytest.approx(expected.difficulty)
    assert card.due == pytest.approx(expected.due.timestamp())


def reviewed(question: str, last: float = START, *, reviews: int = 3) -> list[Answered]:
    """Return right answers ten minutes apart, the last at `last`."""
    return [answer(question, last - 600 * number) for number in reversed(range(reviews))]


def test_the_longest_overdue_comes_first_up_to_the_daily_limit() -> None:
    events = [event for n in range(6) for event in reviewed(f"q{5 - n}", START - n * 3600)]
    state, later = fold(LearnerState(), events), START + 60 * DAY
    assert asked_at(state, later) == [f"q{n}" for n in range(6)]
    found = review.queue(state, course(*state.cards), later, Limits(cap=2))
    assert [item.question for item in found.due] == ["q0", "q1"]
    assert found.held_back == 4


def test_reviews_already_done_today_count_toward_the_limit() -> None:
    events = [event for n in range(4) for event in reviewed(f"q{n}", START + n)]
    later = START + 60 * DAY
    state = fold(LearnerState(), [*events, answer("q0", later), answer("q1", later)])
    assert len(asked_at(state, later + 60, cap=3)) == 1
    assert len(asked_at(state, later + DAY, cap=3)) == 2  # the limit applies to each day


def test_first_reviews_a_day_are_limited() -> None:
    state = fold(LearnerState(), [answer(f"q{n}", START + n) for n in range(5)])
    state = fold(state, reviewed("old", START + 5))
    later = START + 60 * DAY
    assert asked_at(state, later, new=2) == ["q0", "q1", "old"]
    state = fold(state, [answer("q0", later), answer("q0", later + 1)])
    assert asked_at(state, later + 60, new=2) == ["q1", "old"]


def test_suspended_and_retired_questions_are_kept_but_not_asked() -> None:
    state = fold(LearnerState(), [answer(name) for name in ("a", "b", "c")])
    state = fold(state, [Suspended(at=START + 1, question="b")])
    now = START + 60 * DAY
    found = review.queue(state, course("a", "b"), now, Limits())
    assert [item.question for item in found.due] == ["a"]
    assert (found.suspended, found.retired) == (1, 1)
    assert sum(review.forecast(state, course("a", "b"), now, retention=RETENTION)) == 1
    back = fold(state, [Suspended(at=START + 2, question="b", suspended=False)])
    assert len(review.queue(back, course("a", "b"), now, Limits()).due) == 2
    assert set(back.cards) == {"a", "b", "c"}


def test_a_question_with_a_new_version_starts_again_with_a_reason() -> None:
    state = fold(LearnerState(), reviewed("q"))
    changed = course("q", version=2)
    (item,) = review.queue(state, changed, START, Limits()).due
    assert item.why == review.CHANGED
    assert review.memory_of_lessons(state, changed, START)["l"].answered == 0
    card = fold(state, [answer("q", START + 60, version=2)]).cards["q"]
    assert (card.version, card.answers, card.second_at) == (2, 1, 0.0)
    assert card.stability == by_fsrs([answer("q")]).stability


def test_a_lesson_may_change_its_id() -> None:
    state = fold(LearnerState(), reviewed("q"))
    renamed = {"q": ReviewQuestion("q", 1, "another-name", "screen")}
    (item,) = review.queue(state, renamed, START + 60 * DAY, Limits()).due
    assert item.lesson == "another-name"
    assert review.memory_of_lessons(state, renamed, START)["another-name"].answered == 1
    assert fold(state, [Forgotten(at=START + 1, lesson="x", questions=("q",))]).cards == {}


def test_reviewing_ahead_begins_with_the_next_due_question() -> None:
    state = fold(LearnerState(), [*reviewed("later"), *reviewed("sooner", START - 3600)])
    found = review.queue(state, course("later", "sooner"), START, Limits())
    assert found.due == ()
    assert [item.question for item in found.ahead] == ["sooner", "later"]
    assert found.next_at == state.cards["sooner"].due
    assert Queue().next_at is None


def test_an_answer_can_be_undone() -> None:
    given = [*reviewed("q"), answer("q", START + 60, correct=False)]
    before = fold(LearnerState(), given[:-1])
    state = fold(before, given[-1:])
    assert state.cards != before.cards
    undone = Undone(at=START + 61, answer=given[-1].id, question="q")
    assert fold(state, [undone]).cards == before.cards
    first = fold(LearnerState(), given[:1])
    undone = Undone(at=START + 61, answer=given[0].id, question="q")
    assert fold(first, [undone]).cards == {}


def test_an_earlier_answer_can_be_undone_too(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "me")
    given = [*reviewed("q"), answer("other", START + 60)]
    for event in given:
        progress.record(event)
    for taken in (given[2], given[0]):
        progress.record(Undone(at=START + 61, answer=taken.id, question="q"))
    expected = fold(LearnerState(), [given[1], given[3]])
    assert progress.cards() == expected.cards == Progress(tmp_path / "me").cards()


def test_forgetting_a_lesson_restarts_it() -> None:
    state = fold(LearnerState(), [*reviewed("a"), *reviewed("b"), *reviewed("c")])
    state = fold(state, [Forgotten(at=START + 1, lesson="l", questions=("a", "b"))])
    assert set(state.cards) == {"c"}
    assert fold(state, [answer("a", START - 1)]).cards == state.cards
    assert fold(state, [answer("a", START + 2)]).cards["a"].answers == 1


def test_the_forecast_has_each_question_on_its_day() -> None:
    events = [*reviewed("late", START - 60 * DAY), *reviewed("a"), *reviewed("b")]
    state = fold(LearnerState(), events)
    counts = review.forecast(state, course("a", "b", "late"), START, 14, retention=RETENTION)
    expected = by_fsrs(reviewed("a")).due
    in_days = (expected.date() - datetime.fromtimestamp(START, UTC).date()).days
    assert counts[in_days] == 2
    assert counts[0] == 1
    assert (len(counts), sum(counts)) == (14, 3)
    overdue = review.forecast(
        state, course("a", "b", "late"), START + 60 * DAY, retention=RETENTION
    )
    assert overdue[0] == sum(overdue) == 3


def test_the_recall_equals_the_estimate_of_fsrs() -> None:
    state, later = fold(LearnerState(), reviewed("a")), START + 20 * DAY
    at = datetime.fromtimestamp(later, UTC)
    expected = fsrs.Scheduler().get_card_retrievability(by_fsrs(reviewed("a")), at)
    found = review.memory(state, course("a", "b"), later)
    assert (found.questions, found.answered) == (2, 1)
    assert found.recall == pytest.approx(expected)
    assert review.memory(LearnerState(), course("a"), later).recall is None


def test_recall_falls_to_90_percent_after_as_many_days_as_the_strength() -> None:
    state = fold(LearnerState(), reviewed("a"))
    strength = review.memory(state, course("a"), START).strength
    assert strength is not None
    days = int(strength)  # FSRS counts whole days
    before, after = (
        review.memory(state, course("a"), state.cards["a"].last_at + day * DAY).recall or 0
        for day in (days, days + 1)
    )
    assert before >= 0.9 > after


def test_suspended_questions_count_as_answered_but_not_as_forgotten() -> None:
    state = fold(LearnerState(), [answer("a"), Suspended(at=START + 1, question="a")])
    found = review.memory(state, course("a"), START + 400 * DAY)
    assert (found.answered, found.recall, found.strength) == (1, None, None)


def test_mastery_grows_with_stability_and_fades_with_time() -> None:
    others = [ReviewQuestion("c", 1, "l", "other"), ReviewQuestion("d", 1, "m")]
    asked = course("a", "b") | {each.question: each for each in others}
    once = fold(LearnerState(), [answer("a")])
    often, at = once, START
    for _ in range(6):
        at = often.cards["a"].due
        often = fold(often, [answer("a", at)])
    of = review.memory_of_lessons
    assert 0 < of(once, asked, START)["l"].mastery < of(often, asked, at)["l"].mastery <= 1
    assert of(often, asked, at + 400 * DAY)["l"].mastery < of(often, asked, at)["l"].mastery
    assert of(often, asked, at)["l"] == msgspec.structs.replace(
        of(often, asked, at)["l"], questions=3, answered=1
    )
    screens = review.memory_of_screens(often, asked, at)
    assert set(screens) == {("l", "screen"), ("l", "other")}
    assert screens["l", "screen"].mastery == pytest.approx(1)  # b was left for later
    assert screens["l", "other"].mastery == 0


def test_the_streak_counts_days_in_a_row() -> None:
    state = fold(LearnerState(), [answer(at=START + day * DAY) for day in (0, 1, 3, 4, 5)])
    assert review.streak(state, START + 5 * DAY) == 3
    assert review.streak(state, START + 6 * DAY) == 3  # today's answer may still come
    assert review.streak(state, START + 7 * DAY) == 0
    assert review.streak(LearnerState(), START) == 0


def test_limits_are_settings() -> None:
    def settings(**values: str | float) -> Limits:
        return review.limits(
            lambda name: values.get(name.removeprefix("review.")), ReviewSettings()
        )

    assert settings() == Limits(40, 10)
    assert settings(cap=5, new=0) == Limits(5, 0)
    assert settings(cap="many", new=-1) == settings(cap=True, new=1.5) == Limits()


def test_days_are_local_to_the_learner(zone: Callable[[str], None]) -> None:
    """A card is due at 12:00 UTC; the learner's day began eleven hours earlier."""
    zone("Europe/Berlin")
    state = fold(LearnerState(), reviewed("q"))
    due = state.cards["q"].due
    midnight = due - 13 * 3600  # CET
    assert asked_at(state, midnight - 1) == []
    assert asked_at(state, midnight + 1) == ["q"]


def test_an_answer_counts_for_the_local_day_when_it_was_given(
    zone: Callable[[str], None], tmp_path: Path
) -> None:
    zone("America/New_York")
    progress = Progress(tmp_path)
    evening = datetime(2026, 3, 3, 2, tzinfo=UTC).timestamp()  # 2 March, 21:00, in New York
    for at in (evening, evening + DAY):
        progress.record(answer(at=at))
    zone("UTC")
    assert review.streak(progress.state(), datetime(2026, 3, 3, 12, tzinfo=UTC).timestamp()) == 2
    assert review.streak(progress.state(), datetime(2026, 3, 5, 12, tzinfo=UTC).timestamp()) == 0


RATINGS = (fsrs.Rating.Good, fsrs.Rating.Good, fsrs.Rating.Hard, fsrs.Rating.Again)
CARD = Card(
    question="q",
    version=1,
    lesson="l",
    answers=2,
    correct=2,
    last_correct=True,
    last_at=0.0,
    due=30.0 * 86_400,
    stability=30.0,
    difficulty=5.0,
)


@pytest.mark.parametrize("retention", [0.8, 0.85, 0.9, 0.95])
def test_the_due_date_is_the_one_that_fsrs_gives_for_a_retention(retention: float) -> None:
    """The stored card is the same for every retention, and only the day of the review moves."""
    ours = fsrs.Scheduler(enable_fuzzing=False, learning_steps=(), relearning_steps=())
    own = fsrs.Scheduler(
        desired_retention=retention, enable_fuzzing=False, learning_steps=(), relearning_steps=()
    )
    theirs = fsrs.Card(card_id=0, due=datetime(2026, 1, 1, tzinfo=UTC))
    for day, rating in zip((1, 4, 15, 40), RATINGS, strict=True):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
        usual, _ = ours.review_card(theirs, rating, at)
        wanted, _ = own.review_card(theirs, rating, at)
        card = msgspec.structs.replace(
            CARD,
            last_at=at.timestamp(),
            due=usual.due.timestamp(),
            stability=usual.stability,
            difficulty=usual.difficulty,
        )
        assert due_at(card, retention) == wanted.due.timestamp()
        theirs = usual


def test_a_higher_retention_brings_questions_back_sooner() -> None:
    state = LearnerState(cards={"q": CARD})
    questions = {"q": ReviewQuestion("q", 1, "l")}
    on = 20 * 86_400.0
    due = [
        len(review.queue(state, questions, on, Limits(retention=retention)).due)
        for retention in (0.85, 0.9, 0.95)
    ]
    assert due == [0, 0, 1]
    counts = [review.forecast(state, questions, on, 14, retention=r) for r in (0.9, 0.95)]
    assert [count.index(1) for count in counts] == [10, 0]
    assert review.limits(lambda name: None, ReviewSettings(retention=0.85)).retention == 0.85


def test_the_shortest_wait_is_recognized_at_any_fraction_of_a_second() -> None:
    for part in range(50):
        at = START + part / 7
        wrong = fold(LearnerState(), [answer(at=at, correct=False)]).cards["q"]
        right = fold(LearnerState(), [answer(at=at)]).cards["q"]
        assert waits_shortest(wrong, RETENTION)
        assert not waits_shortest(right, RETENTION)

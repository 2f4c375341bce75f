"""Test which questions a review asks, in which order, and what it counts."""

from __future__ import annotations

from tutor.learner.records import Undo
from tutor.learner.review import Due, Queue
from tutor.study.review_run import AHEAD, ReviewRun


def due(*names: str) -> tuple[Due, ...]:
    return tuple(Due(name, "lesson", 0.0) for name in names)


def asked(run: ReviewRun) -> str:
    """Take the next question, and return its id, or "" if there is none."""
    item = run.next()
    return item.question if item else ""


def test_the_question_on_the_screen_is_asked_after_an_undone_answer() -> None:
    run = ReviewRun(lambda: Queue(ahead=due("a", "b", "c")))
    run.review_ahead()
    assert (asked(run), run.left("a")) == ("a", 3)
    run.answered("a")
    assert (asked(run), run.left("b")) == ("b", 2)
    run.undone("b")
    assert (run.count, run.left("a")) == (0, 3)
    run.answered("a")
    assert [asked(run), asked(run), asked(run)] == ["b", "c", ""]


def test_a_question_that_is_due_is_not_asked_twice_after_it_was_postponed() -> None:
    queue = Queue(due=due("a", "b"))
    run = ReviewRun(lambda: queue)
    assert asked(run) == "a"
    run.postpone("a")
    assert run.left("a") == 2
    queue = Queue(due=due("b"))  # "a" was answered
    assert [asked(run), run.left("b")] == ["b", 1]


def test_only_skipped_questions_that_are_due_count_as_skipped() -> None:
    run = ReviewRun(lambda: Queue(due=due("a"), ahead=due("c"), held=due("b")))
    assert [run.skip(name) for name in "abc"] == [True, True, False]
    assert (run.skipped, asked(run)) == (1, "")
    run.ask_skipped()
    assert (run.skipped, asked(run)) == (0, "a")


def test_a_batch_ahead_begins_with_the_questions_over_the_limit() -> None:
    queue = Queue(ahead=due(*map(str, range(2 * AHEAD))), held=due("held"))
    run = ReviewRun(lambda: queue)
    run.review_ahead()
    assert [asked(run), asked(run)] == ["held", ""]
    queue = Queue(ahead=queue.ahead)
    run.review_ahead()
    assert run.left() == AHEAD


def test_only_an_answer_of_this_review_can_be_undone() -> None:
    run = ReviewRun(Queue)
    last = Undo(question="a", answer="1")
    assert run.undoable(last, {"a"}) == ""
    run.answered("a")
    assert run.undoable(last, {"a"}) == "a"
    assert run.undoable(last, {"b"}) == ""
    assert run.undoable(Undo(), {"a"}) == ""

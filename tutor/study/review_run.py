"""A review in progress: which questions it still asks, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Container

from tutor.learner.records import Undo
from tutor.learner.review import Due, Queue
from tutor.study.choice_orders import ChoiceOrders

AHEAD = 10
"""The number of questions in one batch when the learner reviews ahead."""


class ReviewRun:
    """A review in progress. `queue` returns the current review queue.

    `count` is the number of questions answered in this review, and `last` is the id of the latest
    one, or "". `orders` has the order of the choices of each question.
    """

    def __init__(self, queue: Callable[[], Queue]) -> None:
        self._queue = queue
        self._passed: set[str] = set()
        """Questions that this review does not ask again: they were skipped or could not be read."""
        self._ahead: list[Due] = []
        """The questions that this review still has to ask although they are not due yet.

        Questions that are due over today's limit come first.
        """
        self._item: Due | None = None
        """The question most recently taken from the queue. The screen may show a different one."""
        self.orders = ChoiceOrders()
        self.count = 0
        self.last = ""

    def left(self, shown: str = "") -> int:
        """Return the number of questions to ask, with the open question `shown` on the screen."""
        return len({item.question for item in self._left()} | {shown} - {""})

    def next(self) -> Due | None:
        """Take the next question from the queue. Return None if the review has ended."""
        self._item = next(iter(self._left()), None)
        if self._item is not None:
            question = self._item.question
            self._ahead = [each for each in self._ahead if each.question != question]
        return self._item

    def skip(self, question: str) -> bool:
        """Don't ask a question again. Return True if it stays due."""
        self._passed.add(question)
        queue = self._queue()
        return any(item.question == question for item in (*queue.due, *queue.held))

    @property
    def skipped(self) -> int:
        """The number of questions that were skipped and are due."""
        return sum(item.question in self._passed for item in self._queue().due)

    def ask_skipped(self) -> None:
        """Ask the skipped questions again."""
        self._passed.clear()

    def review_ahead(self) -> None:
        """Ask a batch of the questions over today's limit or, if there are none, the next ones."""
        self._passed.clear()
        self.orders.forget_all_but(self.last)
        queue = self._queue()
        self._ahead = list((queue.held or queue.ahead)[:AHEAD])

    def postpone(self, shown: str) -> None:
        """Postpone the open question `shown` on the screen, because another one is asked first."""
        item = self._item
        if item is not None and item.question == shown and item not in self._left():
            self._ahead.insert(0, item)

    def answered(self, question: str) -> None:
        self.count += 1
        self.last = question

    def undoable(self, undo: Undo, asked: Container[str]) -> str:
        """Return the id of the question whose answer `undo` takes back, or "".

        Only an answer of this review to a question in `asked`, the course's, can be undone.
        """
        known = undo.answer and undo.question == self.last and undo.question in asked
        return undo.question if known else ""

    def undone(self, shown: str) -> None:
        """Ask the latest question again, before the open question `shown` on the screen, if any."""
        self.count = max(0, self.count - 1)
        self._passed.discard(self.last)
        self.postpone(shown)

    def _left(self) -> list[Due]:
        due = self._queue().due
        ids = {item.question for item in due}
        due += tuple(item for item in self._ahead if item.question not in ids)
        return [item for item in due if item.question not in self._passed]

"""What can be asked about a learner, whoever holds the state that answers it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from tutor.learner.records import Card, Draft, GuessHistory, LessonState, Setting
from tutor.learner.state import LearnerState


class Readings(ABC):
    """Questions about `state()`, the learner's state at this moment."""

    @abstractmethod
    def state(self) -> LearnerState: ...

    def lesson(self, lesson_id: str) -> LessonState:
        """Where the learner is in a lesson; an empty state for one never opened."""
        return self.state().lessons.get(lesson_id) or LessonState(lesson=lesson_id)

    def lessons(self) -> dict[str, LessonState]:
        """Every lesson that was ever opened, by id."""
        return dict(self.state().lessons)

    def last_lesson(self) -> str | None:
        """Id of the lesson visited last."""
        visited = self.state().lessons.values()
        return max(visited, key=lambda state: state.visited_at).lesson if visited else None

    def card(self, question_id: str) -> Card | None:
        """What is known of a question; None when it was never answered."""
        return self.state().cards.get(question_id)

    def draft(self, question_id: str) -> Draft | None:
        """What was entered for a question in a review and not answered yet."""
        return self.state().drafts.get(question_id)

    def cards(self) -> dict[str, Card]:
        """Every question ever answered, by id."""
        return dict(self.state().cards)

    @property
    def guesses(self) -> GuessHistory:
        return self.state().guesses

    def setting(self, name: str) -> Setting | None:
        return self.state().settings.get(name)

"""Define the interface for reading and saving a learner's progress."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from tutor.errors import StoreError
from tutor.learner.clock import Clock
from tutor.learner.log_lines import exact_json
from tutor.learner.records import Card, Draft, GuessHistory, LessonState, LogEvent, Setting
from tutor.learner.state import LearnerState, place, with_draft

Change = Callable[[LearnerState], LearnerState]

Saved = TypeVar("Saved")

_setting_decoder = msgspec.json.Decoder(Setting)

LONGEST_SETTING = 20_000
"""The maximum length of a setting in characters.

The length is limited because every save writes all settings.
"""


class ProgressStore(ABC, Generic[Saved]):
    """The current state of a learner, with methods that save changes.

    Every method that saves returns `Saved`, which is either None or a future.
    """

    folder: Path
    clock: Clock

    @abstractmethod
    def state(self) -> LearnerState: ...

    def lesson(self, lesson_id: str) -> LessonState:
        """Return the learner's progress in a lesson, or an empty state if there is none."""
        return self.state().lesson(lesson_id)

    def lessons(self) -> dict[str, LessonState]:
        """Return the progress in all lessons that the learner has ever opened, by lesson id."""
        return dict(self.state().lessons)

    def card(self, question_id: str) -> Card | None:
        """Return the card of a question, or None if the learner has never answered it."""
        return self.state().cards.get(question_id)

    def draft(self, question_id: str) -> Draft | None:
        """Return the draft answer to a question in a review, or None."""
        return self.state().drafts.get(question_id)

    def cards(self) -> dict[str, Card]:
        """Return the cards of all questions that the learner has ever answered, by question id."""
        return dict(self.state().cards)

    @property
    def guesses(self) -> GuessHistory:
        return self.state().guesses

    def setting(self, name: str) -> Setting | None:
        return self.state().settings.get(name)

    @abstractmethod
    def record(self, event: LogEvent) -> Saved:
        """Save one event."""

    @abstractmethod
    def change(self, change: Change, replaces: object = None) -> Saved:
        """Save the state that `change` returns, except for the fields that depend on events.

        If two pending changes have the same `replaces`, only the later one is written, because it
        includes the earlier one.
        """

    def save_lesson(self, lesson: LessonState) -> Saved:
        """Save the learner's position in a lesson.

        Fields that depend on events (`read`, labs and goals) are ignored. Screens in `seen` are
        added to the screens that the learner has already seen.
        """
        if not lesson.visited_at:
            lesson = msgspec.structs.replace(lesson, visited_at=self.clock())
        return self.change(lambda state: place(state, lesson), ("lesson", lesson.lesson))

    def save_draft(self, question: str, draft: Draft | None) -> Saved:
        """Save a draft answer to a question in a review, or remove the draft (None).

        Submitting an answer to the question also removes the draft.
        """
        return self.change(lambda state: with_draft(state, question, draft), ("draft", question))

    def save_setting(self, name: str, value: Setting) -> Saved:
        """Save a setting. Raises `StoreError` immediately for a value that can never be saved."""
        if isinstance(value, str) and len(value) > LONGEST_SETTING:
            raise StoreError(
                f"This text is too long to save ({len(value):,} characters).",
                f"Shorten it to {LONGEST_SETTING:,} characters. You can use it until you quit.",
            )
        exact_json(value, _setting_decoder)
        return self.change(
            lambda state: msgspec.structs.replace(state, settings={**state.settings, name: value}),
            ("setting", name),
        )

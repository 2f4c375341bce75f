"""What a lesson consists of, after its file has been read."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from tutor.course.question import Id, Question, Sentence


class GoalBase(msgspec.Struct, frozen=True, tag_field="goal", forbid_unknown_fields=True):
    """Something that the live model can be seen to do; `tutor.course.goals` checks it."""


class TopTokenBelow(GoalBase, frozen=True, tag="top-below"):
    """Reached at a step whose most probable token has less than `probability`."""

    probability: Annotated[float, msgspec.Meta(gt=0, le=1)]


class TopTokenAbove(GoalBase, frozen=True, tag="top-above"):
    """Reached at a step whose most probable token has more than `probability`."""

    probability: Annotated[float, msgspec.Meta(ge=0, lt=1)]


class TookRankAtLeast(GoalBase, frozen=True, tag="took-rank"):
    """Reached when the learner takes a token of rank `rank` or worse."""

    rank: Annotated[int, msgspec.Meta(ge=2)]


class Branched(GoalBase, frozen=True, tag="branches"):
    """Reached when the tree has `count` branches of at least `tokens` tokens of their own."""

    count: Annotated[int, msgspec.Meta(ge=2, le=9)]
    tokens: Annotated[int, msgspec.Meta(ge=1)] = 1


Goal = TopTokenBelow | TopTokenAbove | TookRankAtLeast | Branched

GOALS: tuple[type[Goal], ...] = (TopTokenBelow, TopTokenAbove, TookRankAtLeast, Branched)


class Lab(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something to do on the live model, embedded in a screen.

    `task` is said to the learner; `goals` are checked against the live model, all of them, in any
    order. In the guessing game `prompt` is the text that is revealed token by token.
    """

    id: Id
    kind: Literal["stepper", "guess", "chat"]
    task: Sentence
    prompt: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    goals: Annotated[tuple[Goal, ...], msgspec.Meta(max_length=5)] = ()
    done: Sentence = "Done."

    def __post_init__(self) -> None:
        if self.kind != "chat" and not self.prompt.strip():
            raise ValueError(f"a lab of kind `{self.kind}` needs a `prompt`")
        if self.kind == "guess" and self.goals:
            raise ValueError("the guessing game has no `goals`")


class Screen(msgspec.Struct, frozen=True):
    """One screen of a lesson: Markdown `body` (without labs and questions), at most one lab."""

    id: str
    title: str
    body: str
    lab: Lab | None = None


class Lesson(msgspec.Struct, frozen=True):
    id: str
    number: int
    version: int
    title: str
    summary: str
    screens: tuple[Screen, ...]
    questions: tuple[Question, ...]

    @property
    def labs(self) -> tuple[Lab, ...]:
        return tuple(screen.lab for screen in self.screens if screen.lab)

    def screen(self, screen_id: str) -> Screen | None:
        return next((screen for screen in self.screens if screen.id == screen_id), None)

    def question(self, question_id: str) -> Question | None:
        return next((each for each in self.questions if each.id == question_id), None)

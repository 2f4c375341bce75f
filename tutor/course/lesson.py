"""What a lesson consists of, after its file has been read."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from tutor.course.question import Id, Question, Sentence


class TopTokenBelow(msgspec.Struct, frozen=True, tag="top-below", tag_field="goal", forbid_unknown_fields=True):
    """Reached at a step whose most probable token has less than `probability`."""

    probability: Annotated[float, msgspec.Meta(gt=0, le=1)]


class TopTokenAbove(msgspec.Struct, frozen=True, tag="top-above", tag_field="goal", forbid_unknown_fields=True):
    """Reached at a step whose most probable token has more than `probability`."""

    probability: Annotated[float, msgspec.Meta(ge=0, lt=1)]


class TookRankAtLeast(msgspec.Struct, frozen=True, tag="took-rank", tag_field="goal", forbid_unknown_fields=True):
    """Reached when the learner takes a token of rank `rank` or worse."""

    rank: Annotated[int, msgspec.Meta(ge=2)]


class Branched(msgspec.Struct, frozen=True, tag="branches", tag_field="goal", forbid_unknown_fields=True):
    """Reached when the tree has `count` branches of at least `tokens` tokens of their own."""

    count: Annotated[int, msgspec.Meta(ge=2, le=9)]
    tokens: Annotated[int, msgspec.Meta(ge=1)] = 1


Goal = TopTokenBelow | TopTokenAbove | TookRankAtLeast | Branched


class Lab(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something to do on the live model, embedded in a screen. `task` is said to the learner;
    `goals` are checked against the live model, all of them."""

    id: Id
    kind: Literal["stepper", "guess", "chat"]
    task: Sentence
    prompt: str = ""
    goals: tuple[Goal, ...] = ()
    done: Sentence = "Done."


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

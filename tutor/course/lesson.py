"""The parts of a lesson, after its file has been read."""

from typing import Annotated, Literal, get_args

import msgspec

from tutor.course.measured import Measured
from tutor.course.model_value import Quoted, Sampler
from tutor.course.prediction import Prediction
from tutor.course.questions.base import Id, Sentence, TokenText
from tutor.course.questions.question import Question
from tutor.labs.kit import registry


class GoalBase(msgspec.Struct, frozen=True, tag_field="goal", forbid_unknown_fields=True):
    """A goal that the live model can show to be reached; `tutor.course.goals` checks it."""


class TopTokenBelow(GoalBase, frozen=True, tag="top-below"):
    """A goal reached at a step where even the top token has less than `probability`."""

    probability: Annotated[float, msgspec.Meta(gt=0, le=1)]


class TopTokenAbove(GoalBase, frozen=True, tag="top-above"):
    """A goal reached at a step whose most probable token has more than `probability`."""

    probability: Annotated[float, msgspec.Meta(ge=0, lt=1)]


class TookRankAtLeast(GoalBase, frozen=True, tag="took-rank"):
    """A goal reached when the learner takes a token of rank `rank` or worse."""

    rank: Annotated[int, msgspec.Meta(ge=2)]


class Branched(GoalBase, frozen=True, tag="branches"):
    """A goal reached when the tree has `count` branches with at least `tokens` own tokens each."""

    count: Annotated[int, msgspec.Meta(ge=2, le=9)]
    tokens: Annotated[int, msgspec.Meta(ge=1)] = 1


class TextHas(GoalBase, frozen=True, tag="text-has"):
    """A goal reached when the text after the prompt contains `text`; case does not matter."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class TokenAbove(GoalBase, frozen=True, tag="token-above"):
    """A goal reached at a step where `token` has more than `probability`."""

    token: TokenText
    probability: Annotated[float, msgspec.Meta(ge=0, lt=1)]


class TokenBelow(GoalBase, frozen=True, tag="token-below"):
    """A goal reached at a step where `token` has less than `probability`."""

    token: TokenText
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)]


class EntropyAbove(GoalBase, frozen=True, tag="entropy-above"):
    """A goal reached at a step whose entropy is more than `bits`."""

    bits: Annotated[float, msgspec.Meta(ge=0, le=30)]


class EntropyBelow(GoalBase, frozen=True, tag="entropy-below"):
    """A goal reached at a step whose entropy is less than `bits`."""

    bits: Annotated[float, msgspec.Meta(gt=0, le=30)]


class KeptAtMost(GoalBase, frozen=True, tag="kept-at-most"):
    """A goal reached at a step where the sampler keeps at most `count` tokens to draw from."""

    count: Annotated[int, msgspec.Meta(ge=1)]


class PromptChanged(GoalBase, frozen=True, tag="prompt-changed"):
    """A goal reached when the learner continues from a prompt that differs from the lab's."""


class ReachedEnd(GoalBase, frozen=True, tag="reached-end"):
    """A goal reached when the end token is chosen or sampled."""


class LiveGoal(GoalBase, frozen=True, tag="live"):
    """A goal reached when the goal of this name is reached in the embedded lab of `tutor.labs`."""

    name: Id


Goal = (
    TopTokenBelow
    | TopTokenAbove
    | TookRankAtLeast
    | Branched
    | TextHas
    | TokenAbove
    | TokenBelow
    | EntropyAbove
    | EntropyBelow
    | KeptAtMost
    | PromptChanged
    | ReachedEnd
    | LiveGoal
)

GOALS: tuple[type[Goal], ...] = get_args(Goal)


class Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One step of a lab's solution; exactly one field is given.

    `take` takes a token, `write` lets the model draw that many tokens, `greedy` takes the most
    probable token that many times, `back` removes that many tokens, `fork` starts a branch,
    `prompt` is the learner's new prompt (in a conversation: the message that is sent), and
    `sampler` sets the sampler.
    """

    take: Annotated[str, msgspec.Meta(max_length=60)] = ""
    write: Annotated[int, msgspec.Meta(ge=0, le=200)] = 0
    greedy: Annotated[int, msgspec.Meta(ge=0, le=200)] = 0
    back: Annotated[int, msgspec.Meta(ge=0, le=200)] = 0
    fork: bool = False
    prompt: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    sampler: Sampler | None = None

    def __post_init__(self) -> None:
        given = [name for name in self.__struct_fields__ if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(
                f"a step of a solution needs exactly one field, and this one has {len(given)}"
            )


class Lab(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An exercise on the live model, embedded in a screen.

    The learner sees `task`; all `goals` are checked against the live model, in any order. In
    the guessing game, `prompt` is the text that is revealed token by token. `sampler` has the
    settings at the beginning of the lab, which the learner sees and may change. `solution` is
    one way to reach all goals with the default model; only the linter reads it.

    `live` embeds one of the labs of `tutor.labs`, which has its own start, goals (`goals` lists
    those that count here) and solution. The linter checks that it has these goals, so that
    reading a course does not load every lab.
    """

    id: Id
    kind: Literal["stepper", "guess", "chat", "live"]
    task: Sentence
    live: Annotated[str, msgspec.Meta(max_length=60)] = ""
    prompt: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    sampler: Sampler = Sampler()
    goals: Annotated[tuple[Goal, ...], msgspec.Meta(max_length=5)] = ()
    solution: Annotated[tuple[Action, ...], msgspec.Meta(max_length=50)] = ()
    done: Sentence = "Done."

    def __post_init__(self) -> None:
        if self.kind == "live":
            self._check_live()
            return
        if self.live or any(isinstance(goal, LiveGoal) for goal in self.goals):
            raise ValueError("`live` only works with `kind: live`")
        if self.kind != "chat" and not self.prompt.strip():
            raise ValueError(f"a lab of kind `{self.kind}` needs a `prompt`")
        if self.kind == "guess" and self.goals:
            raise ValueError("the guessing game has no `goals`")
        if self.kind == "guess" and self.sampler != Sampler():
            raise ValueError("the guessing game does not sample and has no `sampler`")
        if self.kind == "chat" and any(isinstance(goal, PromptChanged) for goal in self.goals):
            raise ValueError("`prompt-changed` is only a goal for a lab of kind `stepper`")

    def _check_live(self) -> None:
        if self.live not in registry.names():
            raise ValueError(f"there is no lab `{self.live}`; see the labs with `tutor lab --list`")
        if self.prompt or self.solution or self.sampler != Sampler():
            raise ValueError("a lab of kind `live` has no `prompt`, `sampler` or `solution`")
        if not self.goals:
            raise ValueError("a lab of kind `live` needs `goals`")
        if not all(isinstance(goal, LiveGoal) for goal in self.goals):
            raise ValueError("the goals of a lab of kind `live` must be of kind `live`, too")


class Screen(msgspec.Struct, frozen=True):
    """One screen of a lesson.

    `body` is Markdown, without predictions, labs and questions, and with code and facts inserted.
    There is at most one prediction, and at most one lab. The quoted numbers are about one prompt
    each, or `measured`.
    """

    id: str
    title: str
    body: str
    prediction: Prediction | None = None
    lab: Lab | None = None
    numbers: tuple[Quoted, ...] = ()
    measured: tuple[Measured, ...] = ()


class FrontMatter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The beginning of a lesson file.

    `needs` are the ids of lessons that should come before; `source` are the headings of the
    source lesson whose content this one teaches.
    """

    id: Id
    number: Annotated[int, msgspec.Meta(ge=0, le=999)]
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    summary: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    version: Annotated[int, msgspec.Meta(ge=1)] = 1
    needs: Annotated[tuple[Id, ...], msgspec.Meta(max_length=20)] = ()
    source: Annotated[tuple[Sentence, ...], msgspec.Meta(max_length=20)] = ()


class Lesson(FrontMatter, frozen=True, kw_only=True):
    """A lesson, read from its file."""

    screens: tuple[Screen, ...]
    questions: tuple[Question, ...]

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        return tuple(screen.prediction for screen in self.screens if screen.prediction)

    @property
    def labs(self) -> tuple[Lab, ...]:
        return tuple(screen.lab for screen in self.screens if screen.lab)

    def screen(self, screen_id: str) -> Screen | None:
        return next((screen for screen in self.screens if screen.id == screen_id), None)

    def question(self, question_id: str) -> Question | None:
        return next((each for each in self.questions if each.id == question_id), None)

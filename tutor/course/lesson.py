"""Define the parts of a lesson, as parsed from its file."""

from typing import Annotated, Literal, get_args

import msgspec

from tutor.course.measured import Measured
from tutor.course.model_value import Quoted, Sampler
from tutor.course.prediction import Prediction
from tutor.course.questions.base import Id, Sentence, TokenText
from tutor.course.questions.question import Question
from tutor.labs.kit import registry


class GoalBase(msgspec.Struct, frozen=True, tag_field="goal", forbid_unknown_fields=True):
    """A goal that is checked on the live model by `tutor.course.goals`."""


class TopTokenBelow(GoalBase, frozen=True, tag="top-below"):
    """A goal reached at a step whose most probable token is below `probability`."""

    probability: Annotated[float, msgspec.Meta(gt=0, le=1)]


class TopTokenAbove(GoalBase, frozen=True, tag="top-above"):
    """A goal reached at a step whose most probable token is above `probability`."""

    probability: Annotated[float, msgspec.Meta(ge=0, lt=1)]


class TookRankAtLeast(GoalBase, frozen=True, tag="took-rank"):
    """A goal reached when the learner takes a token of rank `rank` or worse."""

    rank: Annotated[int, msgspec.Meta(ge=2)]


class Branched(GoalBase, frozen=True, tag="branches"):
    """A goal reached when `count` branches have at least `tokens` tokens of their own."""

    count: Annotated[int, msgspec.Meta(ge=2, le=9)]
    tokens: Annotated[int, msgspec.Meta(ge=1)] = 1


class TextHas(GoalBase, frozen=True, tag="text-has"):
    """A goal reached when the text after the prompt contains `text`, ignoring case."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class TokenAbove(GoalBase, frozen=True, tag="token-above"):
    """A goal reached at a step where the probability of `token` is above `probability`."""

    token: TokenText
    probability: Annotated[float, msgspec.Meta(ge=0, lt=1)]


class TokenBelow(GoalBase, frozen=True, tag="token-below"):
    """A goal reached at a step where the probability of `token` is below `probability`."""

    token: TokenText
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)]


class EntropyAbove(GoalBase, frozen=True, tag="entropy-above"):
    """A goal reached at a step whose entropy is above `bits`."""

    bits: Annotated[float, msgspec.Meta(ge=0, le=30)]


class EntropyBelow(GoalBase, frozen=True, tag="entropy-below"):
    """A goal reached at a step whose entropy is below `bits`."""

    bits: Annotated[float, msgspec.Meta(gt=0, le=30)]


class KeptAtMost(GoalBase, frozen=True, tag="kept-at-most"):
    """A goal reached at a step where the sampler keeps at most `count` tokens."""

    count: Annotated[int, msgspec.Meta(ge=1)]


class PromptChanged(GoalBase, frozen=True, tag="prompt-changed"):
    """A goal reached when the learner continues from a prompt that differs from the lab's."""


class ReachedEnd(GoalBase, frozen=True, tag="reached-end"):
    """A goal reached when the end token is chosen or sampled."""


class LiveGoal(GoalBase, frozen=True, tag="live"):
    """A goal reached when the embedded lab of `tutor.labs` reaches its goal of this name."""

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
    """One step of a lab's solution; exactly one field is set.

    `take` takes a token, `write` samples that many tokens, `greedy` takes the most probable token
    that many times, `back` removes that many tokens, and `fork` starts a branch. `prompt` is the
    learner's new prompt (in a conversation, the message to send), and `sampler` changes the sampler
    settings.
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
                f"a step of a solution needs exactly one field, but this one has {len(given)}"
            )


class Lab(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An exercise on the live model, embedded in a screen.

    The learner sees `task`. All `goals` are checked on the live model and may be reached in any
    order. In the guessing game, `prompt` is the text that is revealed token by token. `sampler` has
    the initial settings, which the learner sees and can change. `solution` is one way to reach all
    goals with the default model; only the linter uses it.

    `live` embeds one of the labs of `tutor.labs`, which has its own initial state, goals and
    solution. `goals` lists the goals that count in the lesson. The linter checks that the lab has
    them, so that reading a course does not load every lab.
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
            raise ValueError("a guessing game cannot have `goals`")
        if self.kind == "guess" and self.sampler != Sampler():
            raise ValueError("a guessing game cannot have a `sampler`, because it does not sample")
        if self.kind == "chat" and any(isinstance(goal, PromptChanged) for goal in self.goals):
            raise ValueError("only a lab of kind `stepper` can have the goal `prompt-changed`")

    def _check_live(self) -> None:
        if self.live not in registry.names():
            raise ValueError(f"there is no lab `{self.live}`; `tutor lab --list` shows all labs")
        if self.prompt or self.solution or self.sampler != Sampler():
            raise ValueError("a lab of kind `live` cannot have a `prompt`, `sampler` or `solution`")
        if not self.goals:
            raise ValueError("a lab of kind `live` needs `goals`")
        if not all(isinstance(goal, LiveGoal) for goal in self.goals):
            raise ValueError("a lab of kind `live` can only have goals of kind `live`")


class Screen(msgspec.Struct, frozen=True):
    """One screen of a lesson.

    `body` is Markdown with code and facts inserted, and without predictions, labs and questions.
    There is at most one prediction, and at most one lab. Each of the quoted `numbers` is about one
    prompt; `measured` has all other quoted numbers.
    """

    id: str
    title: str
    body: str
    prediction: Prediction | None = None
    lab: Lab | None = None
    numbers: tuple[Quoted, ...] = ()
    measured: tuple[Measured, ...] = ()


class FrontMatter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The front matter of a lesson file.

    `needs` has the ids of lessons that should come before this one. `source` has the headings of
    the source lesson whose content this lesson teaches. `learned` says in a few sentences, in
    inline Markdown, what the reader of the lesson can now explain.
    """

    id: Id
    number: Annotated[int, msgspec.Meta(ge=0, le=999)]
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    summary: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    version: Annotated[int, msgspec.Meta(ge=1)] = 1
    needs: Annotated[tuple[Id, ...], msgspec.Meta(max_length=20)] = ()
    source: Annotated[tuple[Sentence, ...], msgspec.Meta(max_length=20)] = ()
    learned: Annotated[tuple[Sentence, ...], msgspec.Meta(max_length=20)] = ()


class Lesson(FrontMatter, frozen=True, kw_only=True):
    """A lesson that was parsed from its file."""

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

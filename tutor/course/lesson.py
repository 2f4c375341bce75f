"""Define the parts of a lesson, as they are parsed from its file."""

from typing import Annotated, Literal, get_args

import msgspec

from tutor.course.measured import Measured
from tutor.course.model_value import Quoted, Sampler
from tutor.course.prediction import Prediction
from tutor.course.questions.base import Id, Sentence, TokenText
from tutor.course.questions.question import Question
from tutor.labs.kit import registry


class GoalBase(msgspec.Struct, frozen=True, tag_field="goal", forbid_unknown_fields=True):
    """A goal that `tutor.course.goals` checks on the live model."""


class TopTokenBelow(GoalBase, frozen=True, tag="top-below"):
    """A goal that is reached at a step whose top token has a probability below `probability`."""

    probability: Annotated[float, msgspec.Meta(gt=0, le=1)]


class TopTokenAbove(GoalBase, frozen=True, tag="top-above"):
    """A goal that is reached at a step whose top token has a probability above `probability`."""

    probability: Annotated[float, msgspec.Meta(ge=0, lt=1)]


class TookRankAtLeast(GoalBase, frozen=True, tag="took-rank"):
    """A goal that is reached when the learner takes a token of rank `rank` or worse."""

    rank: Annotated[int, msgspec.Meta(ge=2)]


class Branched(GoalBase, frozen=True, tag="branches"):
    """A goal that is reached when `count` branches have at least `tokens` tokens of their own."""

    count: Annotated[int, msgspec.Meta(ge=2, le=9)]
    tokens: Annotated[int, msgspec.Meta(ge=1)] = 1


class TextHas(GoalBase, frozen=True, tag="text-has"):
    """A goal that is reached when the text after the prompt contains `text`, ignoring case."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class TokenAbove(GoalBase, frozen=True, tag="token-above"):
    """A goal that is reached at a step where the probability of `token` is above `probability`."""

    token: TokenText
    probability: Annotated[float, msgspec.Meta(ge=0, lt=1)]


class TokenBelow(GoalBase, frozen=True, tag="token-below"):
    """A goal that is reached at a step where the probability of `token` is below `probability`."""

    token: TokenText
    probability: Annotated[float, msgspec.Meta(gt=0, le=1)]


class EntropyAbove(GoalBase, frozen=True, tag="entropy-above"):
    """A goal that is reached at a step whose entropy is above `bits`."""

    bits: Annotated[float, msgspec.Meta(ge=0, le=30)]


class EntropyBelow(GoalBase, frozen=True, tag="entropy-below"):
    """A goal that is reached at a step whose entropy is below `bits`."""

    bits: Annotated[float, msgspec.Meta(gt=0, le=30)]


class KeptAtMost(GoalBase, frozen=True, tag="kept-at-most"):
    """A goal that is reached at a step where the sampler keeps at most `count` tokens."""

    count: Annotated[int, msgspec.Meta(ge=1)]


class PromptChanged(GoalBase, frozen=True, tag="prompt-changed"):
    """A goal that is reached when the learner continues from a prompt of their own."""


class ReachedEnd(GoalBase, frozen=True, tag="reached-end"):
    """A goal that is reached when the end token is chosen or sampled."""


class LiveGoal(GoalBase, frozen=True, tag="live"):
    """A goal that the embedded lab (from `tutor.labs`) defines, identified by its name there."""

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
    """One step of a lab's solution. Exactly one field is set.

    - `take`: take this token
    - `write`: sample this number of tokens
    - `greedy`: take the most probable token this number of times
    - `back`: remove this number of tokens
    - `fork`: if True, start a branch at the current token
    - `prompt`: write a new prompt (in a conversation, send this message)
    - `sampler`: change the sampler settings
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
    """An exercise on the live model that is embedded in a screen.

    The learner sees `task`. All `goals` are checked on the live model, and can be reached in any
    order. In the guessing game, `prompt` is the text that is revealed token by token. `sampler`
    contains the initial sampler settings, which the learner can see and change. `solution` is one
    way to reach all goals with the default model. Only the linter uses it.

    If `live` is set, the exercise is a lab of `tutor.labs` with this name. Such a lab has its own
    initial state, goals and solution, and `goals` lists the ones that count in the lesson. The
    linter checks that the lab has these goals. The parser does not, because it would have to import
    every lab.
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

    `body` is Markdown, with code and facts already inserted. It does not contain the screen's
    prediction, lab and questions. A screen has at most one prediction and one lab. Each of the
    quoted `numbers` is a value for a single prompt; `measured` contains all other quoted numbers.
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

    `needs` contains the ids of the lessons that learners should read before this one. `source`
    contains the headings of the original written lesson on which this lesson is based. `learned`
    summarizes in a few sentences of inline Markdown what the learner can now explain.
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
    """A lesson with its front matter, screens and questions."""

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

    def screen_of(self, lab: Lab) -> Screen | None:
        """Return the screen that contains `lab`, or None if there is none."""
        return next((screen for screen in self.screens if screen.lab is lab), None)

    def question(self, question_id: str) -> Question | None:
        return next((each for each in self.questions if each.id == question_id), None)

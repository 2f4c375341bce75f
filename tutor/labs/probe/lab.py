"""A lab in which linear probes read a property of a text from the residual stream."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import (
    Adjust,
    Choose,
    EditText,
    MoveFocus,
    NewSeed,
    ShowView,
    cycled,
    moved,
)
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.next_tokens.row import NextRow
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.proportions import wilson
from tutor.labs.kit.results import ModelResults
from tutor.labs.kit.sentence import sentence
from tutor.labs.kit.work import LONGEST, Refused, one_of, work
from tutor.language import _

MILDER = _(
    "This control task is milder than Hewitt and Liang's: the word with the random label is never "
    "the token that the probe reads."
)
"""A note for learners who compare the accuracies. `sets.control_labels` explains the difference."""

Name = Literal["sentiment", "truth", "number"]
NAMES: tuple[Name, ...] = ("sentiment", "truth", "number")

View = Literal["accuracy", "examples", "causality"]
VIEWS: tuple[View, ...] = ("accuracy", "examples", "causality")

STEP = 0.5
STRONGEST = 8.0
"""The maximum strength at which a direction is added or, if negative, subtracted."""

SHOWN = 0.5
"""The minimum probability at which a probe's answer counts as True."""


class LabeledSet(msgspec.Struct, frozen=True):
    """The description of a set of labeled sentences. `sets.py` builds the sentences.

    Attributes:
        labels: The names of the labels True and False.
        control: The kind of word that determines a sentence's label in the control task.
        prompt: The default prompt for the test of causality.
        answers: Words that continue the prompt according to the labels True and False. They are
            single tokens of the default model.
    """

    labels: tuple[str, str]
    control: str
    prompt: str
    answers: tuple[tuple[str, ...], tuple[str, ...]]


SETS: dict[Name, LabeledSet] = {
    "sentiment": LabeledSet(
        ("positive", "negative"),
        "noun",
        "I went to the concert last night. It was",
        (
            ("good", "great", "wonderful", "excellent", "amazing"),
            ("bad", "terrible", "awful", "horrible", "boring"),
        ),
    ),
    "truth": LabeledSet(
        ("true", "false"),
        "opening",
        "The capital of France is",
        (("Paris",), ("London", "Berlin", "Rome", "Madrid")),
    ),
    "number": LabeledSet(
        ("plural", "singular"),
        "adjective",
        "The key near the cabinets",
        (("are", "were", "have"), ("is", "was", "has")),
    ),
}

Action = (
    Choose[Literal["set"]]
    | ShowView[View]
    | MoveFocus[Literal["layer", "sentence", "error"]]
    | Adjust[Literal["strength"]]
    | EditText
    | NewSeed
)
"""`EditText` replaces the learner's own sentence or, if its field is "prompt", the prompt."""


class Train(msgspec.Struct, frozen=True, tag=True):
    """A request for the probes of a set."""

    of: Name


class TrainControl(msgspec.Struct, frozen=True, tag=True):
    """A request for the probes of the control task, whose random labels depend on `seed`."""

    of: Name
    seed: int


class Classify(msgspec.Struct, frozen=True, tag="Judge"):
    """A request to classify the learner's own sentence with the probes of a set."""

    of: Name
    text: str


class Add(msgspec.Struct, frozen=True, tag=True):
    """A request for the effect of adding a probe's direction to the residual stream.

    The direction is added to every token of the prompt `text`, after `layer` blocks.
    """

    of: Name
    text: str
    layer: int
    strength: float


Question = Train | TrainControl | Classify | Add


class Sentence(msgspec.Struct, frozen=True, array_like=True):
    """A held-out sentence with its label."""

    text: str
    label: bool


class Trained(msgspec.Struct, frozen=True, tag=True):
    """The results of a set's probes, one for each layer. The first probe is for the embeddings.

    Attributes:
        count: The number of training sentences.
        fitted: The number of training sentences that each probe gets right.
        held_out: The held-out sentences.
        probabilities: The probability of the label True that each probe gives to each held-out
            sentence.
    """

    count: int
    fitted: tuple[int, ...]
    held_out: tuple[Sentence, ...]
    probabilities: tuple[tuple[float, ...], ...]

    @property
    def layers(self) -> int:
        """The number of probes: the number of blocks plus 1."""
        return len(self.probabilities)

    def wrong(self, layer: int, at: int) -> bool:
        """Return True if the probe of `layer` is wrong about held-out sentence `at`."""
        return (self.probabilities[layer][at] >= SHOWN) != self.held_out[at].label

    def right(self, layer: int) -> int:
        """Return the number of held-out sentences that the probe of `layer` gets right."""
        return sum(not self.wrong(layer, at) for at in range(len(self.held_out)))

    def accuracy(self, layer: int) -> float:
        return self.right(layer) / len(self.held_out)

    def interval(self, layer: int) -> tuple[float, float]:
        return wilson(self.right(layer), len(self.held_out))


class Control(msgspec.Struct, frozen=True, tag=True):
    """The number of held-out sentences that each layer's probe gets right in the control task."""

    right: tuple[int, ...]


class Classified(msgspec.Struct, frozen=True, tag="Judged"):
    """The probability of the label True for the learner's own sentence, at each layer."""

    probabilities: tuple[float, ...]
    left_out: int


class Answers(msgspec.Struct, frozen=True, array_like=True):
    """The total probabilities of the words that belong to the labels True and False."""

    first: float
    second: float

    @property
    def share(self) -> float:
        """The probability of the first words, divided by the total probability of both sets."""
        return self.first / ((self.first + self.second) or 1.0)


class Added(msgspec.Struct, frozen=True, tag=True):
    """The next token after a direction is added to the prompt's residual stream.

    Attributes:
        before: The probabilities of the answers without any change.
        after: Their probabilities after the probe's direction is added.
        chance: Their probabilities after a random direction of the same length is added.
        rows: The most probable next tokens, before and after the probe's direction is added.
        left_out: The number of tokens that were cut from the prompt.
    """

    before: Answers
    after: Answers
    chance: Answers
    rows: tuple[NextRow, ...]
    left_out: int

    def kept(self, answers: Answers) -> float:
        """Return the probability of the model's answer as a fraction of both answers' total.

        The model's answer is the one that is more probable without any change.
        """
        return answers.share if self.before.share >= SHOWN else 1 - answers.share


Answer = Trained | Control | Classified | Added | Progress


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        layer: The number of blocks before the selected probe, or -1 for all blocks.
        row: The index of the selected held-out sentence.
        layers: The number of layers with a probe, or 0 until it is known.
        seed: The seed of the control task's labels.
        strength: The factor by which the added direction is multiplied.
        own: The learner's own sentence for each set, or "".
        prompts: The learner's prompt for each set, or "" for the default prompt.
        added: The effect of adding a direction, by layer and strength.
        progress: The progress of the current request.
    """

    of: Name = "sentiment"
    view: View = "accuracy"
    layer: int = -1
    row: int = 0
    layers: int = 0
    seed: int = 0
    strength: float = 0.0
    own: tuple[str, str, str] = ("", "", "")
    prompts: tuple[str, str, str] = ("", "", "")
    trained: Trained | None = None
    control: Control | None = None
    judged: Classified | None = None
    added: dict[tuple[int, float], Added] = {}
    progress: Progress | None = None

    @property
    def set(self) -> LabeledSet:
        return SETS[self.of]

    @property
    def sentence(self) -> str:
        """The learner's own sentence, or ""."""
        return self.own[NAMES.index(self.of)]

    @property
    def prompt(self) -> str:
        return self.prompts[NAMES.index(self.of)] or self.set.prompt

    @property
    def shown(self) -> Added | None:
        """The effect of the direction at the selected layer and strength, or None if unknown."""
        return self.added.get((self.layer, self.strength))

    @property
    def selectivity(self) -> float | None:
        """The accuracy minus the accuracy in the control task, at the selected layer.

        The value is None if one of them is unknown.
        """
        if self.trained is None or self.control is None:
            return None
        right = self.trained.right(self.layer) - self.control.right[self.layer]
        return right / len(self.trained.held_out)


def act(state: State, action: Action) -> State:
    match action:
        case Choose(by=by):
            return _of(state, cycled(NAMES, state.of, by))
        case ShowView(view=view):
            return replace(state, view=view, progress=None)
        case MoveFocus(by=by, axis=axis):
            return _moved(state, by, axis)
        case Adjust(by=by):
            return replace(state, strength=_limited(state.strength + by * STEP), progress=None)
        case EditText(text=text, field="prompt"):
            prompts = _with(state.prompts, state.of, sentence(text))
            return replace(state, prompts=prompts, added={}, view="causality", progress=None)
        case EditText(text=text):
            own = _with(state.own, state.of, sentence(text))
            return replace(state, own=own, judged=None, view="examples", progress=None)
        case NewSeed():
            return replace(state, seed=state.seed + 1, control=None, progress=None)


def _of(state: State, name: Name) -> State:
    """Return the state with another set, and without the results for the previous one."""
    return replace(
        state,
        of=name,
        row=0,
        trained=None,
        control=None,
        judged=None,
        added={},
        progress=None,
    )


def _with(texts: tuple[str, str, str], name: Name, text: str) -> tuple[str, str, str]:
    first, second, third = (
        text if each == name else old for each, old in zip(NAMES, texts, strict=True)
    )
    return first, second, third


def _limited(strength: float) -> float:
    """Round a strength to a multiple of `STEP`, within the limits."""
    return min(max(-STRONGEST, round(strength / STEP) * STEP), STRONGEST)


def _moved(state: State, by: int, axis: Literal["layer", "sentence", "error"]) -> State:
    trained = state.trained
    if axis == "layer":
        layer = moved(state.layer, by, state.layers)
        return replace(state, layer=layer) if state.layers else state
    if trained is None:
        return state
    count = len(trained.held_out)
    if axis == "sentence":
        return replace(state, row=moved(state.row, by, count))
    ahead = range(state.row + 1, count) if by > 0 else range(state.row - 1, -1, -1)
    errors = (at for at in ahead if trained.wrong(state.layer, at))
    return replace(state, row=next(errors, state.row))


def question(state: State) -> Question | None:
    if state.trained is None:
        return Train(state.of)
    if state.view == "examples" and state.sentence and state.judged is None:
        return Classify(state.of, state.sentence)
    if state.view == "causality" and state.shown is None:
        return Add(state.of, state.prompt, state.layer, state.strength)
    return TrainControl(state.of, state.seed) if state.control is None else None


def receive(state: State, question: Question, answer: Answer) -> State:
    state = replace(state, progress=answer if isinstance(answer, Progress) else None)
    match question, answer:
        case Train(), Trained():
            last = answer.layers - 1
            layer = last if state.layer < 0 else min(state.layer, last)
            row = moved(state.row, 0, len(answer.held_out))
            return replace(state, trained=answer, layers=answer.layers, layer=layer, row=row)
        case TrainControl(), Control():
            return replace(state, control=answer)
        case Classify(), Classified():
            return replace(state, judged=answer)
        case Add(layer=layer, strength=strength), Added():
            return replace(state, added={**state.added, (layer, strength): answer})
    return state


def _restored_strength(value: float) -> float:
    if not -STRONGEST <= value <= STRONGEST:
        raise Refused
    return _limited(value)


def _restored_texts(texts: tuple[str, str, str]) -> tuple[str, str, str]:
    if max(map(len, texts)) > LONGEST:
        raise Refused
    return texts


def _fit(state: State) -> bool:
    """Return True if restored results are valid, and match each other and the selection."""
    trained, control = state.trained, state.control
    if trained is None:
        return False
    layers, count = trained.layers, len(trained.held_out)
    return (
        layers == state.layers > 0 < count
        and 0 <= state.layer < layers
        and 0 <= state.row < count
        and trained.count > 0
        and _counts(trained.fitted, layers, trained.count)
        and all(len(row) == count and _probable(row) for row in trained.probabilities)
        and (control is None or _counts(control.right, layers, count))
    )


def _counts(right: tuple[int, ...], layers: int, count: int) -> bool:
    """Return True if `right` has a number from 0 to `count` for each layer."""
    return len(right) == layers and all(0 <= each <= count for each in right)


def _probable(row: tuple[float, ...]) -> bool:
    return all(0 <= each <= 1 for each in row)


def reset(state: State) -> State | None:
    """Return the state with the initial settings, or None if it has them already."""
    last = state.layers - 1
    new = replace(state, layer=last, row=0, strength=0.0)
    if new.seed:
        new = replace(new, seed=0, control=None, progress=None)
    return None if new == state else new


SELECTIVE = (0.85, 0.2)
READABLE = 0.75
AT_FIRST, LATER = 0.8, 0.3
STRONG, HARDLY = 3.0, 0.05
WEAK, CLEAR = 1.0, 0.75


@goal("selective", "Find a layer that gets 85 % of sentiment right, 20 points above the control")
def _selective(state: State) -> bool:
    if state.of != "sentiment" or state.trained is None or state.selectivity is None:
        return False
    accuracy, above = SELECTIVE
    return state.trained.accuracy(state.layer) >= accuracy and state.selectivity >= above


@goal(
    "not-in-embeddings",
    "Find a set (x) with an interval that contains 50 % in the embedding and is above 75 % at a"
    " later layer",
)
def _not_in_embeddings(state: State) -> bool:
    """Return True if the probe is at chance in the embeddings, but good at the selected layer.

    The interval of its accuracy must contain 50 % in the embeddings, and lie above 75 % at the
    selected layer.
    """
    if state.trained is None:
        return False
    low, high = state.trained.interval(0)
    return low <= SHOWN <= high and state.trained.interval(state.layer)[0] > READABLE


@goal(
    "negation",
    "Write a sentence that is over 80 % positive in the embedding, and select a layer at which "
    "it is under 30 %",
)
def _negation(state: State) -> bool:
    if state.of != "sentiment" or state.judged is None:
        return False
    probabilities = state.judged.probabilities
    return probabilities[0] >= AT_FIRST and probabilities[state.layer] < LATER


@goal(
    "not-used",
    "Steer against the answer with strength 3 or more where the probe's interval is above 75 % "
    "(try x), and change its probability and its share of both answers by less than 5 points",
)
def _not_used(state: State) -> bool:
    """Return True if steering against the model's answer hardly changes the answers.

    Neither the ratio of the two answers nor the probability of the model's answer may change much.
    The ratio alone isn't enough: if strong steering makes the model's output incoherent, both
    answers become improbable.
    """
    found, trained = state.shown, state.trained
    if found is None or trained is None or not _clear(found):
        return False
    before, after = found.before, found.after
    against = state.strength if before.share < SHOWN else -state.strength
    lost = before.second - after.second if before.share < SHOWN else before.first - after.first
    hardly = abs(after.share - before.share) < HARDLY and lost < HARDLY
    readable = trained.interval(state.layer)[0] > READABLE
    return against >= STRONG and hardly and readable


@goal(
    "used",
    "Steer with a strength of at most 1 so that the answer's share of both answers falls from "
    "over 75 % to under 25 %, but stays over 75 % with a random direction",
)
def _used(state: State) -> bool:
    """Return True if the probe's direction reverses the answers, but a random direction doesn't.

    The model's answer must fall from over 75 % to under 25 % of both answers' total probability.
    """
    found = state.shown
    if found is None or not _clear(found) or abs(state.strength) > WEAK:
        return False
    return found.kept(found.after) < 1 - CLEAR and found.kept(found.chance) > CLEAR


def _clear(found: Added) -> bool:
    """Return True if one of the answers is much more probable than the other before the change."""
    return found.kept(found.before) > CLEAR


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="probe",
    title="Linear probes",
    about="Train a probe to read a property from each layer",
    order=310,
    lesson="why",
    task=(
        "Probes read sentiment, truth or number from each layer. See how accurate they are, what "
        "they say about your sentence, and whether their direction changes the answer."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    work=work(
        "layer",
        "row",
        "seed",
        of=one_of(NAMES),
        view=one_of(VIEWS),
        strength=_restored_strength,
        own=_restored_texts,
        prompts=_restored_texts,
    ),
    results=ModelResults(("trained", "control", "layers"), _fit),
    reset_settings=reset,
    texts=("prompt",),
    goals=(_selective, _not_in_embeddings, _negation, _not_used, _used),
    solution=(
        MoveFocus(-16, "layer"),
        EditText("The film was not good"),
        MoveFocus(10, "layer"),
        Choose(1, "set"),
        ShowView("causality"),
        MoveFocus(2, "layer"),
        Adjust(-6, "strength"),
        Choose(1, "set"),
        Adjust(8, "strength"),
        MoveFocus(99, "layer"),
    ),
)

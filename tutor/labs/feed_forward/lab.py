"""A lab about the neurons of feed-forward networks: what they do, and what is lost without them."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import EditText, MoveFocus, Reset, Toggle, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.next_tokens.row import NextRow
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.sentence import sentence
from tutor.labs.kit.work import work
from tutor.lm.distribution import Token

MOST_TOKENS = 24
"""The maximum number of tokens in the text. Longer texts are truncated."""

_MORE_BLOCKS = 1000

Action = EditText | MoveFocus[Literal["block", "neuron"]] | Toggle[Literal["neuron"]] | Reset
"""`Toggle` turns the selected neuron off, or on again."""


class Neuron(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A neuron, identified by its block and its index in the hidden layer, both counted from 0."""

    block: int
    index: int


class Strongest(msgspec.Struct, frozen=True, tag=True):
    """A request for the neurons of a block that affect the next-token prediction most."""

    text: str
    block: int


class Without(msgspec.Struct, frozen=True, tag=True):
    """A request for the next-token prediction with the neurons in `off` switched off."""

    text: str
    off: tuple[Neuron, ...]


Question = Strongest | Without


class NeuronRow(msgspec.Struct, frozen=True, array_like=True):
    """A neuron's effect on one text.

    Attributes:
        index: The neuron's index in the hidden layer.
        contribution: The amount that the neuron adds directly to the logit of the most probable
            next token.
        activations: The neuron's activation at each token.
        promotes: The tokens whose logits the neuron raises most, given the sign of its activation
            at the last token.
    """

    index: int
    contribution: float
    activations: tuple[float, ...]
    promotes: tuple[Token, ...]


class Neurons(msgspec.Struct, frozen=True, tag=True):
    """The neurons of a block that affect the prediction most, strongest first.

    Attributes:
        blocks: The number of blocks in the network.
        hidden: The number of neurons in a block.
        left_out: The number of tokens that were cut from the text.
        target: The most probable next token with all neurons on.
    """

    blocks: int
    hidden: int
    tokens: tuple[Token, ...]
    left_out: int
    target: Token
    rows: tuple[NeuronRow, ...]


class Prediction(msgspec.Struct, frozen=True, tag=True):
    """The next-token probabilities before and after switching off neurons.

    `divergence` is the Kullback-Leibler divergence between the two distributions, in bits.
    """

    rows: tuple[NextRow, ...]
    divergence: float


Answer = Neurons | Prediction | Progress


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        block: The selected block, counted from 0.
        row: The index of the selected neuron in the block's list.
        off: The neurons that are switched off.
        known: The lists of neurons loaded so far, by block.
        prediction: The prediction without the neurons in `off`, or None until it is computed.
        progress: The progress of the current request.
    """

    text: str = "Once upon a"
    block: int = 0
    row: int = 0
    off: tuple[Neuron, ...] = ()
    known: dict[int, Neurons] = {}
    prediction: Prediction | None = None
    progress: Progress | None = None

    @property
    def shown(self) -> Neurons | None:
        return self.known.get(self.block)

    @property
    def blocks(self) -> int:
        """The number of blocks or, until it is known, a number larger than in any model."""
        return next((each.blocks for each in self.known.values()), _MORE_BLOCKS)

    @property
    def focus(self) -> NeuronRow | None:
        return self.shown.rows[self.row] if self.shown else None

    @property
    def neuron(self) -> Neuron | None:
        return Neuron(self.block, self.focus.index) if self.focus else None


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text):
            return State(text=sentence(text), block=state.block)
        case MoveFocus(by=by, axis="block"):
            block = moved(state.block, by, state.blocks)
            return replace(state, block=block, row=0, progress=None)
        case MoveFocus(by=by):
            count = len(state.shown.rows) if state.shown else 1
            return replace(state, row=moved(state.row, by, count))
        case Toggle():
            if state.neuron is None:
                return state
            off = tuple(sorted({*state.off} ^ {state.neuron}))
            return replace(state, off=off, prediction=None, progress=None)
        case Reset():
            return replace(state, off=(), prediction=None, progress=None)


def question(state: State) -> Question | None:
    if state.shown is None:
        return Strongest(state.text, state.block)
    if state.prediction is None:
        return Without(state.text, state.off)
    return None


def receive(state: State, question: Question, answer: Answer) -> State:
    state = replace(state, progress=answer if isinstance(answer, Progress) else None)
    match question, answer:
        case Strongest(block=asked), Neurons():  # Another block may be selected by now.
            block = moved(state.block, 0, answer.blocks)
            row = moved(state.row, 0, len(answer.rows))
            off = tuple(each for each in state.off if _exists(each, answer))
            known = {**state.known, moved(asked, 0, answer.blocks): answer}
            return replace(state, block=block, row=row, off=off, known=known)
        case Without(), Prediction():
            return replace(state, prediction=answer)
    return state


def _exists(neuron: Neuron, answer: Neurons) -> bool:
    """Return True if the model has this neuron. A restored neuron may belong to another model."""
    return 0 <= neuron.block < answer.blocks and 0 <= neuron.index < answer.hidden


SELECTIVE = 5.0
ACTIVE = 1.0
LOST = 0.5


@goal("selective", "Show a neuron that is 5 times as active on one token as on any other")
def _selective(state: State) -> bool:
    if state.focus is None or len(state.focus.activations) < 3:
        return False
    *others, most = sorted(map(abs, state.focus.activations))
    return most >= ACTIVE and most >= SELECTIVE * others[-1]


@goal("promotes", "Show a neuron that promotes the top token among its first five")
def _promotes(state: State) -> bool:
    return (
        state.focus is not None
        and state.shown is not None
        and (state.shown.target in state.focus.promotes[:5])
    )


@goal("one-neuron", "Switch off one neuron so that the top token loses half its probability")
def _one_neuron(state: State) -> bool:
    if state.prediction is None or len(state.off) != 1:
        return False
    top = max(state.prediction.rows, key=lambda row: row.before)
    return top.after <= LOST * top.before


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="feed-forward",
    title="Neurons",
    about="See which neurons move a prediction, and switch them off",
    order=144,
    lesson="block",
    task=(
        "Go through the blocks, and look at the neurons that move the prediction most: which "
        "tokens activate them, which tokens they promote, and what is lost without one of them."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    work=work("block", "row", "off", text=sentence),
    reset_settings=lambda state: act(state, Reset()) if state.off else None,
    goals=(_selective, _promotes, _one_neuron),
    solution=(
        MoveFocus(22, "block"),
        Toggle("neuron"),
        MoveFocus(1, "neuron"),
    ),
)

"""A lab that changes the positions of a text's tokens, or turns rotary position embedding off."""

from __future__ import annotations

import random
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import Adjust, EditText, Reset, Toggle, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.next_tokens.row import NextRow, top_changed
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.sentence import sentence
from tutor.labs.kit.work import one_of, work
from tutor.lm.distribution import Token

MOST_TOKENS = 48
"""The maximum number of tokens in the text. Longer texts are truncated."""

SHIFTS = (0, 1, 10, 100, 500, 1000, 2000, 4000)
"""The available positions of the first token. All later positions are shifted by the same
amount."""

Action = EditText | Toggle[Literal["rotary", "order"]] | Adjust[Literal["shift", "seed"]] | Reset
"""`Toggle` with "rotary" turns rotary position embedding on or off. With "order", it shuffles the
words or restores their order."""


class Question(msgspec.Struct, frozen=True, tag=True):
    """A request to compare the predictions for two versions of a text.

    Attributes:
        text: The original text, with positions from 0.
        changed: The same text, possibly with its words in a different order.
        shift: The position of the first token of `changed`.
        rotary: False if rotary position embedding is off for `changed`. Then queries and keys are
            not rotated, as if all tokens were at position 0.
    """

    text: str
    changed: str
    shift: int
    rotary: bool


class Comparison(msgspec.Struct, frozen=True, tag=True):
    """The predictions before and after the change.

    Attributes:
        tokens: The tokens of the changed text.
        left_out: The number of tokens that were cut from the text.
        rows: The most probable next tokens, sorted by their probability before the change.
        divergence: The Kullback-Leibler divergence D(before ‖ after) of the next-token
            distributions, in bits.
        order_divergence: The divergence that is due to the word order alone, in bits. It compares
            the text in both word orders, at the changed positions.
        bits_before: The mean surprisal of the original text's tokens, in bits.
        bits_after: The mean surprisal of the changed text's tokens, in bits.
    """

    tokens: tuple[Token, ...]
    left_out: int
    rows: tuple[NextRow, ...]
    divergence: float
    order_divergence: float
    bits_before: float
    bits_after: float


Answer = Comparison | Progress


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        shuffled: True if the words are in random order.
        seed: The seed of the random order.
        shift: The position of the first token.
        rotary: True if rotary position embedding is on.
        result: The comparison for the current text and settings, or None until it is computed.
        progress: The progress of the current request.
    """

    text: str = "When Mary and John went to the store, John gave a drink to"
    shuffled: bool = False
    seed: int = 1
    shift: int = 0
    rotary: bool = True
    result: Comparison | None = None
    progress: Progress | None = None

    @property
    def changed(self) -> str:
        """The text with its words in the current order.

        The last word always stays at the end, since the model predicts the word after it.
        """
        if not self.shuffled:
            return self.text
        *words, last = self.text.split()
        random.Random(self.seed).shuffle(words)
        return " ".join([*words, last])


def act(state: State, action: Action) -> State:
    state = replace(state, result=None, progress=None)
    match action:
        case EditText(text=text):
            return replace(state, text=sentence(text))
        case Toggle(what="rotary"):
            return replace(state, rotary=not state.rotary)
        case Toggle():
            return replace(state, shuffled=not state.shuffled)
        case Adjust(by=by, dial="seed"):
            return replace(state, seed=max(1, state.seed + by), shuffled=True)
        case Adjust(by=by):
            at = moved(SHIFTS.index(state.shift), by, len(SHIFTS))
            return replace(state, shift=SHIFTS[at])
        case Reset():
            return State(text=state.text)


def _reset(state: State) -> State | None:
    reset = State(text=state.text)
    return None if LAB.work.of(state, reset) == {} else reset


def question(state: State) -> Question | None:
    if state.result is not None:
        return None
    return Question(state.text, state.changed, state.shift, state.rotary)


def receive(state: State, question: Question, answer: Answer) -> State:
    if isinstance(answer, Progress):
        return replace(state, progress=answer)
    return replace(state, result=answer, progress=None)


FAR = 500
SAME = 0.01
HIDDEN = 0.5
WORSE = 2.0


@goal("shifted", "Shift by 500 or more so that the prediction changes by less than 0.01 bits")
def _shifted(state: State) -> bool:
    found = state.result
    far = state.shift >= FAR and state.rotary and not state.shuffled
    return found is not None and far and found.divergence < SAME


@goal("order-matters", "With RoPE on, shuffle the words so that another token ranks first")
def _order_matters(state: State) -> bool:
    found = state.result
    return found is not None and state.shuffled and state.rotary and top_changed(found.rows)


@goal("no-positions", "Switch RoPE off, and raise the surprisal of an unshuffled text")
def _no_positions(state: State) -> bool:
    found = state.result
    off = not state.rotary and not state.shuffled
    return found is not None and off and found.bits_after > found.bits_before


@goal(
    "order-hidden",
    "With RoPE off, shuffle the words so that their order alone changes the prediction by less "
    "than 0.5 bits",
)
def _order_hidden(state: State) -> bool:
    found = state.result
    moved_words = state.shuffled and state.changed != state.text
    return (
        found is not None and moved_words and not state.rotary and found.order_divergence < HIDDEN
    )


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="positions",
    title="Positions",
    about="Shift positions or shuffle words: does the model notice?",
    order=146,
    lesson="block",
    task=(
        "Shift all positions, shuffle the words, or switch rotary embedding (RoPE) off. See which "
        "of these the model notices."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    work=work("shuffled", "seed", "rotary", text=sentence, shift=one_of(SHIFTS)),
    reset_settings=_reset,
    goals=(_shifted, _order_matters, _no_positions, _order_hidden),
    solution=(
        Adjust(4, "shift"),
        Reset(),
        Toggle("order"),
        Reset(),
        Toggle("rotary"),
        Toggle("order"),
    ),
)

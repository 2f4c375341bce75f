"""A lab that computes softmax(q·k / √size) · v with the numbers of a real head."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.attention_formula import by_hand
from tutor.labs.kit.actions import EditText, MoveFocus, Toggle, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.sentence import sentence
from tutor.labs.kit.work import work
from tutor.lm.distribution import Token

MOST_TOKENS = 32
"""The maximum number of tokens in the text. Longer texts are truncated, and the screen shows a
note."""

STEPS = 5


Axis = Literal["step", "layer", "head", "token", "key"]
"""The axes along which the focus moves: the steps of the formula, the layers, the heads, the
attending tokens ("token"), and the tokens that they attend to ("key")."""
Action = EditText | MoveFocus[Axis] | Toggle[Literal["root", "mask"]]
"""`Toggle` turns the mask or the division by √size on or off."""


class Question(msgspec.Struct, frozen=True, tag=True):
    """A request for the vectors of one head."""

    text: str
    layer: int
    head: int


class Answer(msgspec.Struct, frozen=True, tag=True):
    """One head's vectors, encoded as 32-bit floats.

    `queries`, `keys`, `values` and `answers` are [T, size], and `weights` is [T, T]. `weights` and
    `answers` are the attention weights and the outputs that the network computed.
    """

    tokens: tuple[Token, ...]
    left_out: int
    layers: int
    heads: int
    size: int
    queries: bytes
    keys: bytes
    values: bytes
    weights: bytes
    answers: bytes

    def rows(self, data: bytes) -> list[memoryview[float]]:
        floats = memoryview(data).cast("f")
        size = len(floats) // len(self.tokens)
        return [floats[start : start + size] for start in range(0, len(floats), size)]


class Worked(msgspec.Struct, frozen=True):
    """The results of the five steps for one query.

    Each list has one number for each token of the text, except `total`.

    Attributes:
        products: The dot products of the query with the keys.
        scaled: The products after the division by √size.
        masked: The scaled products after masking.
        shares: The attention weights.
        adds: The length (L2 norm) of each token's weighted value.
        total: The sum of the weighted values [size].
        off: The largest difference from the network's own output, or None if a step is left out.
    """

    products: list[float]
    scaled: list[float]
    masked: list[float]
    shares: list[float]
    adds: list[float]
    total: list[float]
    off: float | None


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        layer: The selected layer, counted from 0.
        head: The selected head, counted from 0.
        token: The position of the attending token, counted from 0.
        key: The position of the token that it attends to, counted from 0.
        step: The index of the selected step.
        divide: True if the scores are divided by √size.
        hide: True if later tokens are masked.
        read: The vectors that were last loaded.
        worked: The results of the five steps, or None while another head's vectors are being
            loaded.
    """

    text: str = "The dog did not cross the street because it was too tired."
    layer: int = 13
    head: int = 8
    token: int = 8
    key: int = 0
    step: int = 0
    divide: bool = True
    hide: bool = True
    read: Answer | None = None
    worked: Worked | None = None

    @property
    def tokens(self) -> tuple[Token, ...]:
        return () if self.read is None else self.read.tokens


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text):
            new = State(text=sentence(text), layer=state.layer, head=state.head)
            return replace(new, token=MOST_TOKENS, divide=state.divide, hide=state.hide)
        case MoveFocus(by=by, axis="step"):
            return replace(state, step=moved(state.step, by, STEPS))
        case MoveFocus(by=by, axis=axis):
            return state if state.read is None else _focused(state, state.read, axis, by)
        case Toggle(what="root"):
            return _work_again(replace(state, divide=not state.divide))
        case Toggle():
            return _work_again(replace(state, hide=not state.hide))


def _focused(state: State, read: Answer, axis: Axis, by: int) -> State:
    tokens = len(read.tokens)
    counts = {"layer": read.layers, "head": read.heads, "token": tokens, "key": tokens}
    new = replace(state, **{axis: moved(getattr(state, axis), by, counts[axis])})
    other = (new.layer, new.head) != (state.layer, state.head)
    return replace(new, worked=None) if other else _work_again(new)


def question(state: State) -> Question | None:
    return None if state.worked else Question(state.text, state.layer, state.head)


def receive(state: State, question: Question, answer: Answer) -> State:
    return _work(
        replace(
            state,
            read=answer,
            layer=moved(state.layer, 0, answer.layers),
            head=moved(state.head, 0, answer.heads),
            token=moved(state.token, 0, len(answer.tokens)),
            key=moved(state.key, 0, len(answer.tokens)),
        )
    )


def _work_again(state: State) -> State:
    """Compute the five steps again, unless another head's vectors are being loaded."""
    return state if state.worked is None else _work(state)


def _work(state: State) -> State:
    """Compute the five steps if the selected head's vectors are loaded."""
    read = state.read
    if read is None or state.token >= len(read.tokens):
        return state
    values = read.rows(read.values)
    products = by_hand.products(read.rows(read.queries)[state.token], read.rows(read.keys))
    scaled = by_hand.scaled(products, read.size if state.divide else 1)
    masked = by_hand.masked(scaled, state.token) if state.hide else scaled
    shares = by_hand.softmax(masked)
    total = by_hand.weighted_sum(shares, values)
    own = read.rows(read.answers)[state.token]
    plain = state.divide and state.hide
    worked = Worked(
        products=products,
        scaled=scaled,
        masked=masked,
        shares=shares,
        adds=[share * by_hand.length(value) for share, value in zip(shares, values, strict=True)],
        total=total,
        off=max(abs(a - b) for a, b in zip(total, own, strict=True)) if plain else None,
    )
    return replace(state, worked=worked)


SUM, SHARES = STEPS - 1, STEPS - 2


def _at(values: Sequence[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)


@goal("sum", "Reach step 5, the weighted sum, for the 4th or a later token")
def _sum(state: State) -> bool:
    plain = state.divide and state.hide
    return state.worked is not None and plain and state.step == SUM and state.token >= 3


@goal(
    "empty-share",
    "Find a token that has over half the weight but doesn't add the longest vector",
)
def _empty_share(state: State) -> bool:
    worked = state.worked
    if worked is None or state.step != SUM or not (state.divide and state.hide):
        return False
    return max(worked.shares) > 0.5 and _at(worked.shares) != _at(worked.adds)


@goal("without-root", "Drop the root to raise a weight from below 50 % to over 95 %")
def _without_root(state: State) -> bool:
    worked = state.worked
    if worked is None or state.divide or not state.hide or state.step < SHARES:
        return False
    assert state.read is not None
    size = state.read.size
    divided = by_hand.softmax([score / math.sqrt(size) for score in worked.masked])
    at = _at(worked.shares)
    return worked.shares[at] > 0.95 and divided[at] < 0.5


@goal("later", "Drop the mask so that a later token has the highest weight")
def _later_wins(state: State) -> bool:
    worked = state.worked
    if worked is None or state.hide or state.step < SHARES:
        return False
    return state.divide and _at(worked.shares) > state.token


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="attention-formula",
    title="The attention formula by hand",
    about="Compute softmax(q·k / √size) · v with a real head's numbers",
    order=100,
    lesson="attention",
    task=(
        "Compute softmax(q·k / √size) · v with a real head's numbers. Go through the five "
        "steps, then leave out the root or the mask to see what it does."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    work=work("layer", "head", "token", "key", "divide", "hide", step=STEPS, text=sentence),
    goals=(_sum, _without_root, _later_wins, _empty_share),
    solution=(
        MoveFocus(SUM, "step"),
        MoveFocus(-8, "head"),
        Toggle("root"),
        Toggle("root"),
        MoveFocus(7, "head"),
        MoveFocus(-4, "token"),
        Toggle("mask"),
        Toggle("mask"),
        MoveFocus(-7, "head"),
    ),
)

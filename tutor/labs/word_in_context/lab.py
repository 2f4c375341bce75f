"""The lab of one word in two sentences: the vector that parts on its way through the layers."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import Choose, EditText, MoveFocus, cycled, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.word_in_context.sentence_pair import PAIRS, Pair, Sentence, pair
from tutor.lm.distribution import Token

MOST_NAMED = 8
"""Tokens or rows that are named at a layer."""

By = Literal["lens", "rows", "difference"]
WAYS: tuple[By, ...] = ("lens", "rows", "difference")


class GoToFurthest(msgspec.Struct, frozen=True, tag_field="do", tag="furthest"):
    """Go to the layer after which the two vectors are furthest apart."""


Action = EditText | Choose[Literal["pair", "way"]] | MoveFocus[Literal["layer"]] | GoToFurthest
"""The "way" is how to ask what the vectors stand for."""


class Compare(msgspec.Struct, frozen=True, tag=True):
    first: Sentence
    second: Sentence


class Name(msgspec.Struct, frozen=True, tag=True):
    """What do the two vectors stand for after this layer (0: in the table)?"""

    first: Sentence
    second: Sentence
    layer: int
    by: By


Question = Compare | Name


class Compared(msgspec.Struct, frozen=True, tag=True):
    """The tokens that are looked at; the cosine of their vectors in the table and after each
    layer; and that of other words of the two sentences, empty where there are none."""

    tokens: tuple[Token, Token]
    cosines: tuple[float, ...]
    others: tuple[float, ...]

    @property
    def furthest(self) -> int:
        return min(range(len(self.cosines)), key=lambda layer: self.cosines[layer])


class Named(msgspec.Struct, frozen=True, array_like=True):
    """`value` is a probability by the lens, else a cosine."""

    token: Token
    value: float


class Names(msgspec.Struct, frozen=True, tag=True):
    first: tuple[Named, ...]
    second: tuple[Named, ...]


Answer = Compared | Names


def write(text: str) -> EditText:
    """The action, from two sentences with `/` between them, the word in each between `*`; without
    a mark it is the last word that both have. Raises `LabError` if there is no such pair."""
    pair(text)
    return EditText(text)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """`names` are those of the two vectors after `layer`, asked in the way of `by`."""

    pairs: tuple[Pair, ...] = PAIRS
    at: int = 0
    compared: Compared | None = None
    layer: int = 0
    by: By = "lens"
    names: Names | None = None

    @property
    def chosen(self) -> Pair:
        return self.pairs[self.at]


def act(state: State, action: Action) -> State:
    match action:
        case Choose(by=by, what=what):
            match what:
                case "pair":
                    at = (state.at + by) % len(state.pairs)
                    return replace(state, at=at, compared=None, names=None)
                case "way":
                    return replace(state, by=cycled(WAYS, state.by, by), names=None)
        case EditText(text=text):
            pairs = (pair(text), *PAIRS)
            return replace(state, pairs=pairs, at=0, compared=None, names=None)
        case MoveFocus(by=by):
            layers = len(state.compared.cosines) if state.compared else 1
            return replace(state, layer=moved(state.layer, by, layers), names=None)
        case GoToFurthest():
            layer = state.compared.furthest if state.compared else state.layer
            return replace(state, layer=layer, names=None)


def question(state: State) -> Question | None:
    first, second = state.chosen.first, state.chosen.second
    if state.compared is None:
        return Compare(first, second)
    if state.names is None:
        return Name(first, second, state.layer, state.by)
    return None


def receive(state: State, question: Question, answer: Answer) -> State:
    match answer:
        case Compared():
            layer = min(state.layer, len(answer.cosines) - 1)
            return replace(state, compared=answer, layer=layer)
        case Names():
            return replace(state, names=answer)


ONE = 0.9999
"""From here up two vectors count as the same: the rest is rounding."""


def _own(state: State) -> Compared | None:
    """What was found of a pair of one's own with the same word, in sentences that differ."""
    chosen = state.chosen
    differ = chosen.first.text.casefold() != chosen.second.text.casefold()
    return state.compared if chosen.own and chosen.same_word and differ else None


@goal("parted", "Find two sentences in which a word of yours ends below 0.60")
def _parted(state: State) -> bool:
    found = _own(state)
    return found is not None and found.cosines[0] > ONE and found.cosines[-1] < 0.6


@goal("stayed", "Find different words before it that leave it above 0.95")
def _stayed(state: State) -> bool:
    found = _own(state)
    before = state.chosen.first.before.casefold() != state.chosen.second.before.casefold()
    return found is not None and before and 0.95 < found.cosines[-1] < ONE


@goal("only-after", "Find two different sentences with 1.00 in every layer")
def _only_after(state: State) -> bool:
    found = _own(state)
    return found is not None and min(found.cosines) > ONE


@goal("difference", "Look at the difference in the layer where it is largest")
def _difference_read(state: State) -> bool:
    found = state.compared
    return (
        state.by == "difference"
        and state.names is not None
        and found is not None
        and state.layer == found.furthest > 0
    )


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="word-in-context",
    title="One word, two sentences",
    order=70,
    lesson="embeddings",
    task=(
        "The same word starts with the same vector in both sentences. Watch the vectors "
        "move apart, layer by layer, because of what comes before."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    goals=(_difference_read, _parted, _stayed, _only_after),
    solution=(
        GoToFurthest(),
        Choose(2, "way"),  # the difference
        EditText("Yesterday I *left* the house / Turn right, then *left*"),
        EditText("They sat on the river *bank* / They sat at the river *bank*"),
        EditText("The *bank* was closed / The *bank* of the river was green"),
    ),
)

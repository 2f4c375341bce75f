"""A lab that compares the vectors of one word in two sentences, layer by layer."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import Choose, EditText, MoveFocus, cycled, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.work import Refused, work
from tutor.labs.word_in_context.sentence_pair import PAIRS, Pair, Sentence, pair
from tutor.lm.distribution import Token

MOST_NAMED = 8
"""The maximum number of tokens to list for a vector."""

By = Literal["lens", "rows", "difference"]
WAYS: tuple[By, ...] = ("lens", "rows", "difference")


class GoToFurthest(msgspec.Struct, frozen=True, tag_field="do", tag="furthest"):
    """Go to the layer where the two vectors are furthest apart."""


Action = EditText | Choose[Literal["pair", "way"]] | MoveFocus[Literal["layer"]] | GoToFurthest
"""`Choose` with "way" selects how a vector is mapped to tokens (see `By`). With "pair", it selects
the next pair of sentences."""


class Compare(msgspec.Struct, frozen=True, tag=True):
    first: Sentence
    second: Sentence


class Name(msgspec.Struct, frozen=True, tag=True):
    """A request for the tokens that best match the two vectors after a layer.

    Layer 0 is the embedding table.
    """

    first: Sentence
    second: Sentence
    layer: int
    by: By


Question = Compare | Name


class Compared(msgspec.Struct, frozen=True, tag=True):
    """A comparison of the vectors of one word in two sentences.

    Attributes:
        tokens: The word's token in each sentence.
        cosines: The cosine similarity of the two vectors, in the embedding table and after each
            layer.
        others: The mean cosine similarity of different words in the two sentences, or an empty
            tuple if there are no different words.
    """

    tokens: tuple[Token, Token]
    cosines: tuple[float, ...]
    others: tuple[float, ...]

    @property
    def furthest(self) -> int:
        return min(range(len(self.cosines)), key=lambda layer: self.cosines[layer])


class Named(msgspec.Struct, frozen=True, array_like=True):
    """One of the tokens that best match a vector.

    For the logit lens, `value` is the token's probability. For all other vectors, it is the token's
    cosine similarity to the vector.
    """

    token: Token
    value: float


class Names(msgspec.Struct, frozen=True, tag=True):
    first: tuple[Named, ...]
    second: tuple[Named, ...]


Answer = Compared | Names


def write(text: str) -> EditText:
    """Return the action that compares two sentences, separated by `/`.

    Asterisks mark the word to compare in each sentence. If there are none, the last word that
    occurs in both sentences is compared. Raises `LabError` if the text does not consist of two such
    sentences.
    """
    pair(text)
    return EditText(text)


def _restored(pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
    """Return the learner's own pair, checked again, and the bundled pairs."""
    if not pairs:
        raise Refused
    own = pairs[0]
    return (pair(f"{own.first.marked} / {own.second.marked}"), *PAIRS)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        pairs: All pairs of sentences. The learner's own pair, if any, comes first.
        at: The index of the selected pair.
        compared: The comparison of the word's vectors, or None until it is computed.
        layer: The selected layer.
        by: The method that maps the vectors to tokens.
        names: The tokens found for the vectors, or None until they are computed.
    """

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
"""The cosine similarity above which two vectors count as equal. It allows for rounding errors."""


def _own(state: State) -> Compared | None:
    """Return the comparison of the learner's own sentences, or None if they can't reach a goal.

    To reach a goal, the sentences must be different, and the marked word must be the same.
    """
    chosen = state.chosen
    differ = chosen.first.text.casefold() != chosen.second.text.casefold()
    return state.compared if chosen.own and chosen.same_word and differ else None


@goal("parted", "Find a word whose final cosine in two sentences is below 0.60")
def _parted(state: State) -> bool:
    found = _own(state)
    return found is not None and found.cosines[0] > ONE and found.cosines[-1] < 0.6


@goal("stayed", "Vary the preceding words, but keep the final cosine above 0.95")
def _stayed(state: State) -> bool:
    found = _own(state)
    before = state.chosen.first.before.casefold() != state.chosen.second.before.casefold()
    return found is not None and before and 0.95 < found.cosines[-1] < ONE


@goal("only-after", "Write two different sentences with cosine 1.00 in every layer")
def _only_after(state: State) -> bool:
    found = _own(state)
    return found is not None and min(found.cosines) > ONE


@goal("difference", "Show the difference where the two vectors are furthest apart")
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
    about="Watch one word's vectors move apart in two sentences",
    order=70,
    lesson="embeddings",
    task=(
        "A word starts with the same vector in both sentences. Watch the two vectors "
        "move apart, layer by layer, because different words come before it."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    work=work(
        *("at", "layer", "by"),
        pairs=_restored,
        mend=lambda state: replace(state, at=moved(state.at, 0, len(state.pairs))),
    ),
    goals=(_difference_read, _parted, _stayed, _only_after),
    solution=(
        GoToFurthest(),
        Choose(2, "way"),  # Select "difference".
        EditText("Yesterday I *left* the house / Turn right, then *left*"),
        EditText("They sat on the river *bank* / They sat at the river *bank*"),
        EditText("The *bank* was closed / The *bank* of the river was green"),
    ),
)

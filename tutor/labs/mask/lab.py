"""A lab that compares the predictions for a text with and without the causal mask."""

from __future__ import annotations

from itertools import takewhile
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import EditText, MoveFocus, ShowView, Toggle, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.sentence import sentence
from tutor.labs.kit.work import work
from tutor.lm.distribution import Token

MOST_TOKENS = 32
"""The maximum number of tokens in the text. Longer texts are truncated, and the screen shows a
note."""

MOVED = 0.1
"""A prediction counts as changed if its surprisal changes by more than this, in bits. Smaller
changes can be rounding errors."""

View = Literal["table", "map"]
VIEWS: tuple[View, ...] = ("table", "map")

Action = EditText | Toggle[Literal["mask"]] | ShowView[View] | MoveFocus[Literal["token"]]


class Question(msgspec.Struct, frozen=True, tag=True):
    """A request for the predictions for a text.

    If `hide` is True, the causal mask hides later tokens.
    """

    text: str
    hide: bool


class Reading(msgspec.Struct, frozen=True, tag=True):
    """The model's predictions for a text, with or without the mask.

    Attributes:
        left_out: The number of tokens that were cut from the text.
        bits: The surprisal, -log2 p, of each token's successor. The last token has none.
        best: The most probable next token after each token.
        chances: The probabilities of the tokens in `best`.
        attention: The attention map as 32-bit floats [T, T], averaged over all heads and layers.
            Each row sums to 1.
    """

    tokens: tuple[Token, ...]
    left_out: int
    bits: tuple[float, ...]
    best: tuple[Token, ...]
    chances: tuple[float, ...]
    attention: bytes

    @property
    def mean_bits(self) -> float:
        """The mean surprisal in bits, or 0 if the text has only one token."""
        return sum(self.bits) / len(self.bits) if self.bits else 0.0

    def row(self, token: int) -> memoryview[float]:
        count = len(self.tokens)
        return memoryview(self.attention).cast("f")[token * count : (token + 1) * count]

    def ahead(self, token: int) -> float:
        """Return a token's total attention to later tokens, from 0 to 1."""
        return sum(self.row(token)[token + 1 :])


Answer = Reading | Progress


Readings = dict[bool, Reading]
"""The predictions with the mask (key True) and without it (key False)."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        hide: True if the causal mask is on.
        focus: The position of the selected token.
        readings: The predictions for this text.
        before: The predictions for the previous text.
        progress: The progress of the current request.
    """

    text: str = "The dog did not cross the street because it was too tired."
    hide: bool = True
    view: View = "table"
    focus: int = 0
    readings: Readings = {}
    before: Readings = {}
    progress: Progress | None = None

    @property
    def shown(self) -> Reading | None:
        return self.readings.get(self.hide)

    @property
    def tokens(self) -> tuple[Token, ...]:
        known = next(iter(self.readings.values()), None)
        return () if known is None else known.tokens

    @property
    def shared(self) -> int:
        """The length of the prefix that this text shares with the previous text, in tokens.

        The length is 0 if the texts have the same tokens.
        """
        if not (self.before and self.readings):
            return 0
        old = next(iter(self.before.values())).tokens
        if old == self.tokens:
            return 0
        pairs = zip(old, self.tokens, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0].id == pair[1].id, pairs))

    def moved(self, hide: bool) -> int | None:
        """Return how many predictions within the first `shared` tokens have changed.

        They are compared with the predictions for the previous text. The result is None if
        predictions are missing, or if `shared` is less than 2.
        """
        new, old = self.readings.get(hide), self.before.get(hide)
        if new is None or old is None or self.shared < 2:
            return None
        pairs = zip(new.bits[: self.shared - 1], old.bits, strict=False)
        return sum(abs(one - other) > MOVED for one, other in pairs)


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text):
            kept = state.readings or state.before
            return State(text=sentence(text), hide=state.hide, view=state.view, before=kept)
        case Toggle():
            return replace(state, hide=not state.hide, progress=None)
        case ShowView(view=view):
            return replace(state, view=view)
        case MoveFocus(by=by):
            return replace(state, focus=moved(state.focus, by, len(state.tokens)))


def question(state: State) -> Question | None:
    return None if state.hide in state.readings else Question(state.text, state.hide)


def receive(state: State, question: Question, answer: Answer) -> State:
    if isinstance(answer, Progress):
        return replace(state, progress=answer)
    readings = {**state.readings, question.hide: answer}
    focus = moved(state.focus, 0, len(answer.tokens))
    return replace(state, readings=readings, focus=focus, progress=None)


ENOUGH = 5
"""The minimum length of a text, in tokens, for the goals that compare mean surprisals."""


def _compared(state: State) -> tuple[float, float] | None:
    """Return the mean surprisal with and without the mask.

    Returns None if one of them is unknown, or if the text is too short for the goals.
    """
    if len(state.readings) < 2 or len(state.tokens) < ENOUGH:
        return None
    return state.readings[True].mean_bits, state.readings[False].mean_bits


@goal("reads-off", "Remove the mask and cut the surprisal by more than half")
def _read_off(state: State) -> bool:
    bits = _compared(state)
    return bits is not None and bits[1] < 0.5 * bits[0]


@goal("lost", "Find a text with a higher surprisal without the mask")
def _lost(state: State) -> bool:
    bits = _compared(state)
    return bits is not None and bits[1] > bits[0]


@goal(
    "end-moves",
    "Without the mask, change only the end of a text so that 3 earlier predictions change",
)
def _end_moves_beginning(state: State) -> bool:
    moved = state.moved(hide=False)
    return moved is not None and moved >= 3 and state.moved(hide=True) == 0


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="mask",
    title="Without the causal mask",
    about="Let every token see the tokens after it, and see what breaks",
    order=110,
    lesson="attention",
    task=(
        "Without the causal mask, every token sees the tokens after it. The model was "
        "not trained that way. See what happens when it can look ahead."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    work=work("hide", "view", "focus", text=sentence),
    goals=(_read_off, _end_moves_beginning, _lost),
    solution=(
        Toggle("mask"),
        EditText("The dog did not cross the street because it was too wide."),
        Toggle("mask"),
        EditText("Once upon a time there was a little girl who lived in a house."),
        Toggle("mask"),
    ),
)

"""A lab that shows what each attention head attends to."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import EditText, MoveFocus, ShowView, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.sentence import sentence
from tutor.labs.kit.work import work
from tutor.language import _
from tutor.lm.distribution import Token

MOST_TOKENS = 48
"""The maximum number of tokens in the text. An attention map has a row and a column for each token.
Longer texts are truncated, and the screen shows a note."""

View = Literal["map", "row", "finder"]
VIEWS: tuple[View, ...] = ("map", "row", "finder")

Pattern = Literal["previous", "first", "itself", "same"]
PATTERNS: tuple[Pattern, ...] = ("previous", "first", "itself", "same")
"""The patterns by which heads can be ranked. `tutor.lm.inspect.heads` defines them."""
PATTERN_NAMES: dict[Pattern, str] = {
    "previous": _("the previous token"),
    "first": _("the first token"),
    "itself": _("the token itself"),
    "same": _("earlier copies of the token"),
}
"""The name of what each pattern attends to, for the interface."""


class RankHeads(msgspec.Struct, frozen=True, tag_field="do", tag="ask"):
    """Rank all heads by how well they match a pattern."""

    pattern: Pattern


class ShowHead(msgspec.Struct, frozen=True, tag_field="do", tag="go"):
    """Show the attention map of the head that is selected in the ranking."""


Axis = Literal["layer", "head", "token", "rank"]
Action = EditText | ShowView[View] | MoveFocus[Axis] | RankHeads | ShowHead


class Read(msgspec.Struct, frozen=True, tag=True):
    """A request for the tokens of a text, and for the pattern scores of all heads."""

    text: str


class Look(msgspec.Struct, frozen=True, tag=True):
    """A request for the attention weights of all heads in a layer."""

    text: str
    layer: int


Question = Read | Look


class Sentence(msgspec.Struct, frozen=True, tag=True):
    """The tokens of a text, and how well each head matches each pattern.

    Attributes:
        left_out: The number of tokens that were cut from the text.
        scores: For each pattern, the score of every head, layer by layer. A head's score is its
            mean attention (0 to 1) to the tokens that the pattern selects. A pattern is missing if
            it doesn't occur in the text.
    """

    tokens: tuple[Token, ...]
    left_out: int
    layers: int
    heads: int
    scores: dict[str, tuple[float, ...]]


class Weights(msgspec.Struct, frozen=True, tag=True):
    """The attention weights of a layer, as 32-bit floats [heads, T, T]. Each row sums to 1."""

    data: bytes


Answer = Sentence | Weights


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        weights: The attention weights of the layers loaded so far, by layer.
        layer: The selected layer, counted from 0.
        head: The selected head, counted from 0.
        token: The position of the selected token, counted from 0. At first, the last token of a
            text is selected.
        pattern: The pattern by which heads are ranked.
        rank: The index of the selected head in the ranking.
    """

    text: str = "The dog did not cross the street because it was too tired."
    sentence: Sentence | None = None
    weights: dict[int, bytes] = {}
    layer: int = 0
    head: int = 0
    token: int = MOST_TOKENS
    view: View = "map"
    pattern: Pattern = "previous"
    rank: int = 0

    @property
    def tokens(self) -> tuple[Token, ...]:
        return () if self.sentence is None else self.sentence.tokens

    @property
    def known(self) -> bool:
        """Return True if the attention weights of the selected head are loaded."""
        return self.sentence is not None and self.layer in self.weights

    def row(self, token: int) -> memoryview[float]:
        """Return the selected head's attention from `token` to each token of the text."""
        count = len(self.tokens)
        start = (self.head * count + token) * count
        return memoryview(self.weights[self.layer]).cast("f")[start : start + count]

    def score(self, pattern: Pattern) -> float | None:
        """Return the selected head's score for a pattern, or None if the pattern has no scores."""
        scores = () if self.sentence is None else self.sentence.scores.get(pattern, ())
        at = self.layer * (self.sentence.heads if self.sentence else 0) + self.head
        return scores[at] if scores else None

    def ranking(self) -> list[tuple[int, int, float]]:
        """Return the layer, head and score of every head, sorted from the highest score down."""
        if self.sentence is None:
            return []
        scores = self.sentence.scores.get(self.pattern, ())
        order = sorted(range(len(scores)), key=lambda at: -scores[at])
        return [(*divmod(at, self.sentence.heads), scores[at]) for at in order]


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text):
            return State(
                text=sentence(text),
                layer=state.layer,
                head=state.head,
                view="map" if state.view == "row" else state.view,
                pattern=state.pattern,
            )
        case ShowView(view=view):
            return replace(state, view=view)
        case MoveFocus(by=by, axis=axis):
            return state if state.sentence is None else _focused(state, state.sentence, axis, by)
        case RankHeads(pattern=pattern):
            return replace(state, pattern=pattern, rank=0, view="finder")
        case ShowHead():
            ranking = state.ranking()
            if not ranking:
                return state
            layer, head, _ = ranking[state.rank]
            return replace(state, layer=layer, head=head, view="map")


def _focused(state: State, read: Sentence, axis: Axis, by: int) -> State:
    counts: dict[Axis, int] = {
        "layer": read.layers,
        "head": read.heads,
        "token": len(read.tokens),
        "rank": len(state.ranking()),
    }
    return replace(state, **{axis: moved(getattr(state, axis), by, counts[axis])})


def question(state: State) -> Question | None:
    if state.sentence is None:
        return Read(state.text)
    return None if state.layer in state.weights else Look(state.text, state.layer)


def receive(state: State, question: Question, answer: Answer) -> State:
    match question, answer:
        case Look(layer=layer), Weights(data=data):
            return replace(state, weights={**state.weights, layer: data})
        case Read(), Sentence() as read:
            known = replace(state, sentence=read)
            return replace(
                known,
                rank=moved(state.rank, 0, len(known.ranking())),
                layer=moved(state.layer, 0, read.layers),
                head=moved(state.head, 0, read.heads),
                token=moved(state.token, 0, len(read.tokens)),
            )
        case _:
            return state  # Responses always match their requests.


STEADY = 0.6
SINK = 0.9
MOST = 0.5
FAR = 3


@goal("previous-token", "Show a head with 60 % average attention to the previous token")
def _looks_before(state: State) -> bool:
    score = state.score("previous")
    return state.view != "finder" and state.known and score is not None and score >= STEADY


@goal("sink", "Select a token (4th or later) with 90 % of its attention on the first token")
def _rests(state: State) -> bool:
    return (
        state.view != "finder"
        and state.known
        and state.token > 2
        and state.row(state.token)[0] >= SINK
    )


@goal(
    "reach",
    "Show a row with half its attention on one token 3 or more positions back, except token 1 "
    "and copies of the row's own token",
)
def _reaches_back(state: State) -> bool:
    """Return True if one earlier token gets at least half of the attention.

    The first token and copies of the attending token don't count.
    """
    if state.view == "finder" or not state.known:
        return False
    row, own = state.row(state.token), state.tokens[state.token].id
    return any(
        row[at] >= MOST and state.tokens[at].id != own for at in range(1, state.token - FAR + 1)
    )


@goal("same-token", "Show a head with 50 % average attention to earlier copies of the token")
def _finds_itself(state: State) -> bool:
    score = state.score("same")
    return state.view != "finder" and state.known and score is not None and score >= MOST


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="attention",
    title="What heads attend to",
    about="See what each head attends to, and find heads by pattern",
    order=90,
    lesson="attention",
    task=(
        "Each head attends to your sentence in its own way. Choose a simple pattern, and the "
        "finder ranks all heads by how closely they follow it."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    work=work("layer", "head", "token", "view", "pattern", "rank", text=sentence),
    goals=(_looks_before, _rests, _reaches_back, _finds_itself),
    solution=(
        RankHeads("previous"),
        ShowHead(),
        RankHeads("first"),
        ShowHead(),
        ShowView("row"),
        MoveFocus(-99, "layer"),
        MoveFocus(13, "layer"),
        MoveFocus(-99, "head"),
        MoveFocus(8, "head"),
        MoveFocus(-99, "token"),
        MoveFocus(8, "token"),
        EditText("one two three four one two three"),
        RankHeads("same"),
        ShowHead(),
    ),
)

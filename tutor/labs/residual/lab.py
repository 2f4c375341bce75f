"""A lab that follows the residual stream through all blocks, for one token at a time."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import EditText, MoveFocus, ShowView, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.sentence import sentence
from tutor.labs.kit.work import work
from tutor.lm.distribution import Token

MOST_TOKENS = 32
"""The maximum number of tokens in the text. Longer texts are truncated."""

View = Literal["length", "logit"]
VIEWS: tuple[View, ...] = ("length", "logit")

Action = EditText | ShowView[View] | MoveFocus[Literal["block", "token"]]


class Lengths(msgspec.Struct, frozen=True, tag=True):
    """A request for the lengths of the residual stream's vectors."""

    text: str


class Logit(msgspec.Struct, frozen=True, tag=True):
    """A request for the contributions of the network's parts to a logit.

    The logit belongs to the most probable next token after the token at `position`.
    """

    text: str
    position: int


class Heads(msgspec.Struct, frozen=True, tag=True):
    """A request for the contributions of one block's heads to a logit.

    The logit belongs to the most probable next token after the token at `position`.
    """

    text: str
    position: int
    block: int


Question = Lengths | Logit | Heads


class Stream(msgspec.Struct, frozen=True, tag=True):
    """The lengths (Euclidean norms) of the residual stream's vectors for a text.

    Attributes:
        left_out: The number of tokens that were cut from the text.
        heads: The number of heads in each block.
        stream: For each token, the length of its embedding, followed by the length of the residual
            stream after each block.
        attention: For each token, the length of the vector that each block's attention adds.
        feed_forward: For each token, the length of the vector that each block's feed-forward
            network adds.
    """

    tokens: tuple[Token, ...]
    left_out: int
    heads: int
    stream: tuple[tuple[float, ...], ...]
    attention: tuple[tuple[float, ...], ...]
    feed_forward: tuple[tuple[float, ...], ...]

    @property
    def blocks(self) -> int:
        return len(self.attention[0])


class Contributions(msgspec.Struct, frozen=True, tag=True):
    """The contribution of each part of the network to the logit of the most probable next token.

    That token is `target`. The contributions of the embedding, all attention layers, all
    feed-forward networks and `bias` add up to `logit`, or to the logit before the cap if the model
    caps logits. `bias` is the contribution of the final LayerNorm's bias. It is 0 in models without
    such a bias.
    """

    target: Token
    probability: float
    logit: float
    embedding: float
    attention: tuple[float, ...]
    feed_forward: tuple[float, ...]
    bias: float = 0.0


class HeadContributions(msgspec.Struct, frozen=True, tag=True):
    """The amount that each head of a block adds to the logit of the most probable next token."""

    heads: tuple[float, ...]


Answer = Stream | Contributions | HeadContributions | Progress


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        token: The position of the selected token, or -1 for the last token.
        block: The selected block, counted from 0.
        stream: The lengths of the vectors, or None until they are computed.
        contributions: The contributions to the logit, by position.
        by_head: The contributions of the heads, by position and block.
        progress: The progress of the current request.
    """

    text: str = "The capital of France is"
    view: View = "length"
    token: int = -1
    block: int = 0
    stream: Stream | None = None
    contributions: dict[int, Contributions] = {}
    by_head: dict[tuple[int, int], HeadContributions] = {}
    progress: Progress | None = None

    @property
    def position(self) -> int:
        """The position of the selected token, counted from 0."""
        count = len(self.stream.tokens) if self.stream else 1
        return self.token % count

    @property
    def shown(self) -> Contributions | None:
        return self.contributions.get(self.position)

    @property
    def shown_heads(self) -> HeadContributions | None:
        return self.by_head.get((self.position, self.block))


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text):
            return State(text=sentence(text), view=state.view, block=state.block)
        case ShowView(view=view):
            return replace(state, view=view, progress=None)
        case MoveFocus(by=by, axis=axis):
            if state.stream is None:
                return state
            if axis == "block":
                return replace(state, block=moved(state.block, by, state.stream.blocks))
            return replace(state, token=moved(state.position, by, len(state.stream.tokens)))


def question(state: State) -> Question | None:
    if state.stream is None:
        return Lengths(state.text)
    if state.view == "logit" and state.shown is None:
        return Logit(state.text, state.position)
    if state.view == "logit" and state.shown_heads is None:
        return Heads(state.text, state.position, state.block)
    return None


def receive(state: State, question: Question, answer: Answer) -> State:
    state = replace(state, progress=answer if isinstance(answer, Progress) else None)
    match question, answer:
        case Lengths(), Stream():
            return replace(state, stream=answer, block=moved(state.block, 0, answer.blocks))
        case Logit(position=position), Contributions():
            return replace(state, contributions={**state.contributions, position: answer})
        case Heads(position=position, block=block), HeadContributions():
            return replace(state, by_head={**state.by_head, (position, block): answer})
    return state


GROWTH = 50
HEAD = 1.0
AGAINST = -0.5


@goal("growth", "Show the block that makes the first token's vector 50 times longer")
def _growth(state: State) -> bool:
    if state.stream is None or state.position != 0:
        return False
    lengths = state.stream.stream[0]
    return lengths[state.block + 1] >= GROWTH * lengths[state.block]


@goal("strongest-attention", "Show the attention that adds most to the top token's logit")
def _strongest_attention(state: State) -> bool:
    found = state.shown
    if found is None or state.view != "logit":
        return False
    return found.attention[state.block] == max(found.attention) > 0


@goal("strong-head", "Show a head that adds 1 or more to the top token's logit")
def _strong_head(state: State) -> bool:
    heads = state.shown_heads
    return state.view == "logit" and heads is not None and max(heads.heads) >= HEAD


@goal("against", "Show a feed-forward network that takes 0.5 or more off that logit")
def _against(state: State) -> bool:
    found = state.shown
    logit = state.view == "logit" and found is not None
    return logit and found is not None and found.feed_forward[state.block] <= AGAINST


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="residual",
    title="The residual stream",
    about="Follow one token's vector through all blocks",
    order=142,
    lesson="block",
    task=(
        "Follow one token's vector through all blocks: how long it gets, what each block adds, "
        "and which parts raise the logit of the most probable next token."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    work=work("view", "token", "block", text=sentence),
    goals=(_growth, _strongest_attention, _strong_head, _against),
    solution=(
        MoveFocus(-99, "token"),
        MoveFocus(11, "block"),
        MoveFocus(99, "token"),
        ShowView("logit"),
        MoveFocus(12, "block"),
        MoveFocus(-2, "block"),
    ),
)

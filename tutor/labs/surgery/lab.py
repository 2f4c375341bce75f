"""A lab in which the learner switches off parts of the network and sees the effect."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import EditText, MoveFocus, Reset, ShowView, Toggle, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.next_tokens.row import NextRow, top_changed
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.sentence import sentence
from tutor.labs.kit.work import work
from tutor.lm.distribution import Token

MOST_TOKENS = 32
"""The maximum number of tokens in the text. Longer texts are truncated, and the screen shows a
note."""

REPEATED = 16
"""The number of random tokens. The sequence is repeated once, to measure how well the network
copies."""

SEED = 1
"""The seed of the random tokens. It never changes, so results can be compared."""

View = Literal["next", "lens", "copying"]
VIEWS: tuple[View, ...] = ("next", "lens", "copying")


class Cut(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A part of the network that is switched off.

    `layer` and `head` are counted from 0. A `head` of -1 stands for the layer's feed-forward
    network.
    """

    layer: int
    head: int


FEED_FORWARD = -1


class SwitchOffCopier(msgspec.Struct, frozen=True, tag_field="do", tag="best"):
    """Switch off the strongest induction head that is still on.

    An induction head attends to the token that followed an earlier copy of the current token.
    """


Action = (
    EditText
    | ShowView[View]
    | MoveFocus[Literal["layer", "part"]]
    | Toggle[Literal["part", "heads"]]
    | SwitchOffCopier
    | Reset
)
"""`Toggle` switches the selected part off or on, or all heads of the selected layer."""


class Next(msgspec.Struct, frozen=True, tag=True):
    """A request for next-token probabilities, with all parts on and with those in `cuts` off."""

    text: str
    cuts: tuple[Cut, ...]


class Lens(msgspec.Struct, frozen=True, tag=True):
    """A request for the logit lens with all parts on, and with the parts in `cuts` off."""

    text: str
    cuts: tuple[Cut, ...]


class Scores(msgspec.Struct, frozen=True, tag=True):
    """A request for the induction score of each head."""


class Copy(msgspec.Struct, frozen=True, tag=True):
    """A request for the surprisal of the repeated random tokens.

    It is measured with all parts on, and with the parts in `cuts` switched off.
    """

    cuts: tuple[Cut, ...]


Question = Next | Lens | Scores | Copy


class Distributions(msgspec.Struct, frozen=True, tag=True):
    """The next-token probabilities with all parts on (before), and with some parts off (after).

    Attributes:
        layers: The number of layers in the network.
        heads: The number of heads in each layer.
        left_out: The number of tokens that were cut from the text.
        rows: The most probable next tokens, sorted by their probability with all parts on.
        divergence: The Kullback-Leibler divergence D(before ‖ after), in bits.
    """

    layers: int
    heads: int
    tokens: tuple[Token, ...]
    left_out: int
    rows: tuple[NextRow, ...]
    divergence: float


class LensLine(msgspec.Struct, frozen=True, array_like=True):
    """The logit lens after `layer` blocks.

    Attributes:
        before: The most probable token with all parts on.
        before_target: The probability of the target with all parts on.
        after: The most probable token with some parts off.
        after_target: The probability of the target with some parts off.
    """

    layer: int
    before: Token
    before_target: float
    after: Token
    after_target: float


class Lenses(msgspec.Struct, frozen=True, tag=True):
    """The logit lens after several layers.

    `target` is the most probable next token at the end of the network, with all parts on.
    """

    target: Token
    rows: tuple[LensLine, ...]


class HeadScores(msgspec.Struct, frozen=True, tag=True):
    """The induction scores of all heads, layer by layer.

    A head's score is its mean attention (0 to 1) to the token that followed an earlier copy of the
    current token. `heads` is the number of heads in a layer.
    """

    scores: tuple[float, ...]
    heads: int


class Copied(msgspec.Struct, frozen=True, tag=True):
    """The mean surprisal of the random tokens, in bits.

    Attributes:
        new: The surprisal of their first occurrence.
        before: The surprisal of the repeat, with all parts on.
        after: The surprisal of the repeat, with some parts off.
    """

    new: float
    before: float
    after: float


Answer = Distributions | Lenses | HeadScores | Copied | Progress


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        layer: The layer of the selected part, counted from 0.
        part: The index of the selected part in its layer. The heads come first, then the
            feed-forward network.
        cuts: The parts that are switched off.
        layers: The number of layers in the network, or 0 until it is known.
        heads: The number of heads in each layer, or 0 until it is known.
        next: The next-token probabilities.
        lens: The logit lens.
        scores: The induction score of each head, layer by layer.
        copied: The surprisal of the repeated random tokens.
        progress: The progress of the current request.

    If `cuts` changes, the results that depend on it are dropped.
    """

    text: str = "When Mary and John went to the store, John gave a drink to"
    view: View = "next"
    layer: int = 0
    part: int = 0
    cuts: tuple[Cut, ...] = ()
    layers: int = 0
    heads: int = 0
    next: Distributions | None = None
    lens: Lenses | None = None
    scores: tuple[float, ...] = ()
    copied: Copied | None = None
    progress: Progress | None = None

    @property
    def focus(self) -> Cut:
        return Cut(self.layer, self.part if self.part < self.heads else FEED_FORWARD)

    @property
    def heads_off(self) -> int:
        return sum(cut.head != FEED_FORWARD for cut in self.cuts)

    def attention_off(self, layer: int) -> bool:
        return all(Cut(layer, head) in self.cuts for head in range(self.heads))

    def score(self, cut: Cut) -> float | None:
        """Return a head's induction score.

        Returns None if the scores are unknown, or if `cut` is not a head.
        """
        if cut.head == FEED_FORWARD or not self.scores:
            return None
        return self.scores[cut.layer * self.heads + cut.head]


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text):
            new = replace(state, text=sentence(text), next=None, lens=None, progress=None)
            return replace(new, view="next" if state.view == "copying" else state.view)
        case ShowView(view=view):
            return replace(state, view=view, progress=None)
        case MoveFocus(by=by, axis=axis):
            if axis == "layer":
                return replace(state, layer=moved(state.layer, by, state.layers))
            return replace(state, part=moved(state.part, by, state.heads + 1))
        case Toggle(what=what):
            return _switched(state, what) if state.layers else state
        case SwitchOffCopier():
            return _without_copier(state)
        case Reset():
            return _cut(state, set())


def question(state: State) -> Question | None:
    if state.next is None and (state.view == "next" or not state.layers):
        # Restored cuts may belong to another model. The size of the loaded model is known only
        # after the first response.
        return Next(state.text, state.cuts if state.layers else ())
    if state.view == "lens" and state.lens is None:
        return Lens(state.text, state.cuts)
    if state.view == "copying" and not state.scores:
        return Scores()
    if state.view == "copying" and state.copied is None:
        return Copy(state.cuts)
    # The goals about the next token don't depend on the view.
    return Next(state.text, state.cuts) if state.next is None else None


def receive(state: State, question: Question, answer: Answer) -> State:
    state = replace(state, progress=answer if isinstance(answer, Progress) else None)
    match answer:
        case Progress():
            return state
        case Distributions() if state.layers:
            return replace(state, next=answer)
        case Distributions():
            return _opened(state, answer)
        case Lenses():
            return replace(state, lens=answer)
        case HeadScores(scores=scores):
            return replace(state, scores=scores)
        case Copied():
            return replace(state, copied=answer)


def _opened(state: State, answer: Distributions) -> State:
    """Return the state after the first response, without restored cuts that don't fit this model.

    The first response was computed with all parts on.
    """
    layers, heads = answer.layers, answer.heads
    known = replace(
        state,
        next=answer,
        layers=layers,
        heads=heads,
        layer=moved(state.layer, 0, layers),
        part=moved(state.part, 0, heads + 1),
    )
    cuts = {cut for cut in state.cuts if 0 <= cut.layer < layers and -1 <= cut.head < heads}
    return _cut(known, cuts) if state.cuts else known


def _cut(state: State, cuts: set[Cut]) -> State:
    """Return the state with exactly these parts switched off, and without outdated results."""
    return replace(
        state, cuts=tuple(sorted(cuts)), next=None, lens=None, copied=None, progress=None
    )


def _switched(state: State, what: Literal["part", "heads"]) -> State:
    if what == "part":
        return _cut(state, {state.focus} ^ set(state.cuts))
    heads = {Cut(state.layer, head) for head in range(state.heads)}
    off = state.attention_off(state.layer)
    return _cut(state, set(state.cuts) - heads if off else heads | set(state.cuts))


def _without_copier(state: State) -> State:
    """Return the state in the copying view, with the strongest remaining induction head off.

    If the scores are unknown, only the view changes. If all heads are off already, nothing changes.
    """
    shown = replace(state, view="copying")
    best = _best(state)
    if best is None:
        return state if state.scores else shown
    return replace(_cut(shown, {best, *state.cuts}), layer=best.layer, part=best.head)


def _best(state: State) -> Cut | None:
    heads = [divmod(at, state.heads) for at in range(len(state.scores))]
    left = [Cut(*head) for head in heads if Cut(*head) not in state.cuts]
    return max(left, key=lambda cut: state.score(cut) or 0.0, default=None)


HARDLY = 0.05
FEW_HEADS = 8


def _blocks_off(state: State) -> int:
    """Return the number of attention layers and feed-forward networks that are completely off."""
    attention = sum(state.attention_off(layer) for layer in range(state.layers))
    return attention + sum(cut.head == FEED_FORWARD for cut in state.cuts)


@goal("hardly-missed", "Switch off all heads of a layer, with a change of less than 0.05 bits")
def _hardly_missed(state: State) -> bool:
    return state.next is not None and _blocks_off(state) > 0 and state.next.divergence < HARDLY


@goal(
    "other-choice",
    "Change the top token by switching off heads of one layer, or its feed-forward network",
)
def _other_choice(state: State) -> bool:
    """Return True if switching off parts in a single layer has changed the most probable token.

    The parts must be either heads or a feed-forward network, not both.
    """
    one_layer = len({cut.layer for cut in state.cuts}) == 1
    kinds = len({cut.head == FEED_FORWARD for cut in state.cuts})
    if state.next is None or not one_layer or kinds != 1:
        return False
    return top_changed(state.next.rows)


@goal("copying-dies", "Double the surprisal of the repeat by switching off at most 8 heads")
def _copying_dies(state: State) -> bool:
    copied = state.copied
    if copied is None or state.heads_off != len(state.cuts) or state.heads_off > FEW_HEADS:
        return False
    return copied.before < 0.5 * copied.new and copied.after > 2 * copied.before


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="surgery",
    title="Surgery",
    about="Switch off heads and networks, and see which skills are lost",
    order=140,
    lesson="attention",
    task=(
        "Switch off heads or feed-forward networks, and see what the model can no longer "
        "do. Some parts hardly matter. A few heads carry a whole skill: copying earlier "
        "text."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    work=work("view", "layer", "part", "cuts", text=sentence),
    reset_settings=lambda state: act(state, Reset()) if state.cuts else None,
    goals=(_hardly_missed, _other_choice, _copying_dies),
    solution=(
        MoveFocus(6, "layer"),
        Toggle("heads"),
        Reset(),
        MoveFocus(5, "layer"),
        MoveFocus(99, "part"),
        Toggle("part"),
        Reset(),
        ShowView("lens"),
        ShowView("copying"),
        *(SwitchOffCopier(),) * 6,
    ),
)

"""A lab in which the learner copies activations from one run of the network into another run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import Choose, EditText, MoveFocus, Run, ShowView, cycled, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.reply import Reply
from tutor.labs.kit.results import ModelResults
from tutor.labs.kit.sentence import replaced, sentence
from tutor.labs.kit.work import one_of, work
from tutor.labs.patch.pairs import EXAMPLES
from tutor.language import _
from tutor.lm.distribution import Token, common_length
from tutor.lm.patch import COMPONENTS, SOURCES, Column, Component, Patched, Source

MOST_TOKENS = 24
"""The maximum number of tokens in each text."""
LENGTH = 12
"""The number of tokens in a continuation."""
_VECTORS = 512
"""The maximum number of vectors that the last block processes in one request. It can be exceeded by
a single column. Larger requests would complete the map sooner, but delay its first results."""
_MORE_LAYERS = 1000

VIEWS = COMPONENTS


class Patch(msgspec.Struct, frozen=True, array_like=True):
    """A patch at one layer of a column. `layer` is counted from 0."""

    column: Column
    layer: int


class Continue(msgspec.Struct, frozen=True, tag_field="do", tag="continue"):
    """Continue text A with the selected patch, and without it."""


Action = (
    EditText
    | ShowView[Component]
    | MoveFocus[Literal["layer", "position", "head"]]
    | Choose[Literal["example", "source"]]
    | Run
    | Continue
)
"""`EditText` replaces text A, or text B if its field is "other"."""


class Compare(msgspec.Struct, frozen=True, tag=True):
    """A request to split both texts into tokens and to predict their next tokens."""

    text: str
    other: str


class Compute(msgspec.Struct, frozen=True, tag=True):
    """A request for the results of columns, all with the same component and source."""

    text: str
    other: str
    columns: tuple[Column, ...]


class Extend(msgspec.Struct, frozen=True, tag=True):
    """A request to add tokens to the continuations of text A, without and with a patch."""

    text: str
    other: str
    patch: Patch
    plain: Reply
    patched: Reply


Question = Compare | Compute | Extend


class Runs(msgspec.Struct, frozen=True):
    """The predictions of the two runs.

    Attributes:
        answers: The most probable next token after each text.
        a: The prediction after text A, for these two answers.
        b: The prediction after text B, for these two answers.
    """

    answers: tuple[Token, Token]
    a: Patched
    b: Patched


class Pair(msgspec.Struct, frozen=True, tag=True):
    """The two texts as the model processes them.

    Attributes:
        a: The tokens of text A.
        b: The tokens of text B.
        layers: The number of layers in the network.
        heads: The number of heads in each layer.
        runs: The predictions, or None if the texts cannot be patched (see `problem`).
    """

    a: tuple[Token, ...]
    b: tuple[Token, ...]
    layers: int
    heads: int
    runs: Runs | None = None

    @property
    def first_difference(self) -> int:
        """The position of the first token that differs, or the number of tokens if none does."""
        return common_length(self.a, self.b)


class Cells(msgspec.Struct, frozen=True, tag=True):
    """The response to `Compute`: for each of its columns, a result for each layer."""

    columns: tuple[tuple[Patched, ...], ...]


class Continuations(msgspec.Struct, frozen=True, tag=True):
    """The continuations of text A, without and with the patch."""

    plain: Reply
    patched: Reply


Answer = Pair | Cells | Continuations | Progress

Problem = Literal["length", "long", "same", "answer"]


def problem(pair: Pair) -> Problem | None:
    """Return the reason why the texts cannot be patched, or None if they can.

    The reasons are different numbers of tokens ("length"), too many tokens ("long"), equal texts
    ("same"), and the same most probable next token ("answer").
    """
    if len(pair.a) != len(pair.b):
        return "length"
    if len(pair.a) > MOST_TOKENS:
        return "long"
    if pair.a == pair.b:
        return "same"
    runs = pair.runs
    return "answer" if runs is not None and runs.answers[0] == runs.answers[1] else None


EMPTY = Reply(most=LENGTH)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        text: Text A, which is patched.
        other: Text B, whose activations are used.
        example: The index of the most recently chosen example.
        view: The component whose map is shown.
        source: The source of the replacement activations.
        layer: The selected layer, counted from 0.
        position: The selected position. The map of the heads shows only this position.
        head: The selected head, counted from 0.
        running: The columns that are being computed, if a computation is in progress.
        pair: The texts as the model processes them, or None until they are known.
        columns: The results so far, by column. Each column has one result for each layer.
        patch: The patch of the continuations, or None.
        plain: The continuation of text A without a patch.
        patched: The continuation of text A with the patch.
        progress: The progress of the current request.
    """

    text: str = EXAMPLES[0].a
    other: str = EXAMPLES[0].b
    example: int = 0
    view: Component = "residual"
    source: Source = "other"
    layer: int = 0
    position: int = 0
    head: int = 0
    running: tuple[Column, ...] = ()
    pair: Pair | None = None
    columns: dict[Column, tuple[Patched, ...]] = {}
    patch: Patch | None = None
    plain: Reply = EMPTY
    patched: Reply = EMPTY
    progress: Progress | None = None

    @property
    def runs(self) -> Runs | None:
        """The predictions of the two runs, or None if the texts cannot be patched."""
        return None if self.pair is None or problem(self.pair) else self.pair.runs

    @property
    def selected(self) -> Patch:
        head = self.head if self.view == "head" else 0
        return Patch(Column(self.view, self.source, self.position, head), self.layer)

    @property
    def rows(self) -> tuple[Column, ...]:
        """The columns that the map shows as its rows: one for each position or each head."""
        if self.pair is None:
            return ()
        if self.view == "head":
            heads = range(self.pair.heads)
            return tuple(Column("head", self.source, self.position, head) for head in heads)
        return tuple(Column(self.view, self.source, at) for at in range(len(self.pair.a)))

    @property
    def missing(self) -> tuple[Column, ...]:
        """The rows of the map that have not been computed yet."""
        return tuple(each for each in self.rows if self.found(each) is None)

    def found(self, column: Column) -> tuple[Patched, ...] | None:
        """Return the results of a column, or None if they are not known.

        Before the first token that differs, both runs are identical, so a patch changes nothing.
        """
        if self.pair is not None and self.runs is not None and self.unchanged(column):
            return (self.runs.a,) * self.pair.layers
        return self.columns.get(column)

    def unchanged(self, column: Column) -> bool:
        """Return True if the activations of both runs are identical at this position."""
        return (
            self.pair is not None
            and column.source == "other"
            and column.position < self.pair.first_difference
        )

    def cell(self, patch: Patch) -> Patched | None:
        """Return the result of a patch, or None if it is not known."""
        found = self.found(patch.column)
        return found[patch.layer] if found and 0 <= patch.layer < len(found) else None

    def moved(self, patch: Patch) -> float | None:
        """Return how far a patch moves the prediction from A (0) to B (1), or None if unknown."""
        cell = self.cell(patch)
        return None if cell is None or self.runs is None else portion(self.runs, cell)


def portion(runs: Runs, cell: Patched) -> float:
    """Return how far a patch moves the logit difference from run A (0) to run B (1)."""
    return (cell.difference - runs.a.difference) / (runs.b.difference - runs.a.difference)


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text, field=field):
            texts = {"other" if field == "other" else "text": sentence(text)}
            return _with_texts(state, **texts)
        case ShowView(view=view):
            return replace(state, view=view)
        case MoveFocus(by=by, axis=axis):
            return _focused(state, by, axis)
        case Choose(by=by, what="example"):
            example = (state.example + by) % len(EXAMPLES)
            a, b = EXAMPLES[example]
            return replace(_with_texts(state, text=a, other=b), example=example)
        case Choose(by=by):
            return replace(state, source=cycled(SOURCES, state.source, by))
        case Run():
            running = () if state.running or state.runs is None else state.missing
            return replace(state, running=running, progress=None)
        case Continue():
            if state.runs is None:
                return state
            again = EMPTY if state.selected != state.patch else state.patched
            return replace(state, patch=state.selected, patched=again)


def _with_texts(state: State, **texts: str) -> State:
    """Return the state with other texts and without the results of the earlier texts."""
    if all(getattr(state, name) == text for name, text in texts.items()):
        return state
    return replace(
        state,
        **texts,
        running=(),
        pair=None,
        columns={},
        patch=None,
        plain=EMPTY,
        patched=EMPTY,
        progress=None,
    )


def _focused(state: State, by: int, axis: Literal["layer", "position", "head"]) -> State:
    pair = state.pair
    match axis:
        case "layer":
            layers = pair.layers if pair else _MORE_LAYERS
            return replace(state, layer=moved(state.layer, by, layers))
        case "position":
            count = len(pair.a) if pair else MOST_TOKENS
            return replace(state, position=moved(state.position, by, count))
        case "head":
            heads = pair.heads if pair else _MORE_LAYERS
            return replace(state, head=moved(state.head, by, heads))


def lost(before: State, after: State) -> str:
    """Return a sentence about the results that an action has removed, or ""."""
    if before.columns and not after.columns:
        return _("The maps of the earlier texts were removed.")
    examples = {text for example in EXAMPLES for text in example}
    return replaced(before.text, after.text, examples) or replaced(
        before.other, after.other, examples
    )


def question(state: State) -> Question | None:
    if state.pair is None:
        return Compare(state.text, state.other)
    if state.runs is None:
        return None
    if state.patch is not None and not (state.plain.done and state.patched.done):
        return Extend(state.text, state.other, state.patch, state.plain, state.patched)
    if state.running:
        count = columns_per_pass(state.pair.layers, len(state.pair.a), state.running)
        return Compute(state.text, state.other, state.running[:count])
    return None


def columns_per_pass(layers: int, tokens: int, columns: Sequence[Column]) -> int:
    """Return the number of leading columns to compute in one pass, which is at least 1.

    `tokens` is the number of tokens in each text.
    """
    count = vectors = 0
    for column in columns:
        vectors += layers * (tokens - column.position)
        if count and vectors > _VECTORS:
            break
        count += 1
    return count


def receive(state: State, question: Question, answer: Answer) -> State:
    state = replace(state, progress=answer if isinstance(answer, Progress) else None)
    match question, answer:
        case Compare(), Pair():
            return _compared(state, answer)
        case Compute(columns=columns), Cells():
            found = dict(zip(columns, answer.columns, strict=True))
            left = tuple(column for column in state.running if column not in found)
            return replace(state, columns={**state.columns, **found}, running=left)
        case Extend(), Continuations():
            return replace(state, plain=answer.plain, patched=answer.patched)
    return state


def _compared(state: State, pair: Pair) -> State:
    """Return the state with the tokens of both texts, after `Compare`.

    The selection is moved into the map if necessary. Restored results that don't fit are dropped.
    """
    known = replace(state, pair=pair)
    return replace(
        known,
        layer=moved(state.layer, 0, pair.layers),
        position=moved(state.position, 0, len(pair.a)),
        head=moved(state.head, 0, pair.heads),
        columns=state.columns if _complete(known) else {},
    )


def _complete(state: State) -> bool:
    """Return True if restored results fit the texts and the model.

    Until the texts are processed, this only checks that all results have the same number of layers.
    """
    pair = state.pair
    sizes = {len(found) for found in state.columns.values()}
    if pair is None:
        return len(sizes) <= 1
    return sizes <= {pair.layers} and all(
        0 <= column.position < len(pair.a) and 0 <= column.head < pair.heads
        for column in state.columns
    )


EARLY = 1 / 3
MOST = 0.9
LITTLE = 0.5
SOME = 0.1
LOST = 0.5


def _moves(state: State, least: float, fits: Callable[[Patch, Pair], bool]) -> bool:
    """Return True if the selected cell `fits` and moves the prediction by at least `least`.

    Only activations from text B count.
    """
    patch, moved = state.selected, state.moved(state.selected)
    if state.pair is None or moved is None or patch.column.source != "other":
        return False
    return moved >= least and fits(patch, state.pair)


@goal("early", "Select a cell in the first third of the layers that moves 90 % of the answer")
def _early(state: State) -> bool:
    return _moves(state, MOST, lambda patch, pair: patch.layer < EARLY * pair.layers)


@goal(
    "arrival",
    "At the last token, select the layer at which the moved part of the answer jumps to 90 %",
)
def _arrival(state: State) -> bool:
    """Return True if the effect of the patch jumps to at least 90 % at the selected layer.

    Two layers earlier, the effect must be under 50 %. The patch must replace the residual stream at
    the last token.
    """
    selected = state.selected
    earlier = state.moved(replace(selected, layer=selected.layer - 2))
    return (
        state.view == "residual"
        and earlier is not None
        and earlier < LITTLE
        and _moves(state, MOST, lambda patch, pair: patch.column.position == len(pair.a) - 1)
    )


@goal("one-head", "Select a single head that moves 10 % of the answer")
def _one_head(state: State) -> bool:
    return state.view == "head" and _moves(state, SOME, lambda patch, pair: True)


@goal("other-answer", "Make the model continue text A with B's answer (Enter)")
def _other_answer(state: State) -> bool:
    if state.runs is None or not (state.plain.ids and state.patched.ids):
        return False
    first = (state.plain.ids[0], state.patched.ids[0])
    return first == tuple(answer.id for answer in state.runs.answers)


@goal("ablated", "Halve A's answer by mean ablation (w) of attention or feed-forward")
def _ablated(state: State) -> bool:
    """Return True if mean ablation of the selected cell halves the probability of A's answer."""
    cell = state.cell(state.selected)
    if cell is None or state.runs is None or state.view not in ("attention", "feed-forward"):
        return False
    return state.source == "mean" and cell.first <= LOST * state.runs.a.first


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="patch",
    title="Patching",
    about="Copy activations between two texts, and see what they carry",
    order=290,
    lesson="why",
    task=(
        "The model continues two texts that differ in a few tokens. Copy one activation from the "
        "run on text B into the run on text A, and see how much of the answer moves with it."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    lost=lost,
    texts=("other",),
    work=work(
        *("example", "layer", "position", "head"),
        view=one_of(COMPONENTS),
        source=one_of(SOURCES),
        text=sentence,
        other=sentence,
        mend=lambda state: replace(state, example=moved(state.example, 0, len(EXAMPLES))),
    ),
    results=ModelResults(("columns",), fit=_complete),
    goals=(_early, _arrival, _one_head, _other_answer, _ablated),
    solution=(
        Run(),
        MoveFocus(3, "position"),
        MoveFocus(4, "layer"),
        Continue(),
        MoveFocus(1, "position"),
        MoveFocus(19, "layer"),
        ShowView("head"),
        Run(),
        MoveFocus(4, "head"),
        ShowView("attention"),
        Choose(1, "source"),
        Run(),
    ),
)

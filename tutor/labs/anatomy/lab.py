"""A lab that shows where a model's parameters are, and how many bits each of them needs."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.anatomy.precisions import PRECISIONS, Compare, Differences, Reading, Stream, Through
from tutor.labs.kit.actions import EditText, MoveFocus, Run, ShowView, Toggle, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.sentence import sentence
from tutor.labs.kit.work import work

MOST_WEIGHTS = 4_000_000
"""The maximum number of weights in a histogram. If a tensor has more weights, the histogram
contains only some of its rows."""

BINS = 61

View = Literal["roles", "layers", "precision"]
VIEWS: tuple[View, ...] = ("roles", "layers", "precision")


Action = (
    EditText | ShowView[View] | MoveFocus[Literal["row", "tensor"]] | Toggle[Literal["bytes"]] | Run
)
"""`MoveFocus` selects another row of the view, or another tensor with the same role. `Toggle`
switches between parameters and bytes. `Run` starts a run at the selected precision, or stops it."""


class Parts(msgspec.Struct, frozen=True, tag=True):
    """A request for the list of all tensors."""


class Look(msgspec.Struct, frozen=True, tag=True):
    """A request for a histogram of one tensor's weights. `at` is the tensor's index."""

    at: int


Question = Parts | Look | Through | Compare


class Part(msgspec.Struct, frozen=True, array_like=True):
    """A tensor of the model.

    `layer` is None for tensors that don't belong to a block. `form` is the number format of the
    weights, such as "int4".
    """

    role: str
    layer: int | None
    outputs: int
    inputs: int
    nbytes: int
    form: str

    @property
    def count(self) -> int:
        return self.outputs * self.inputs


class Inventory(msgspec.Struct, frozen=True, tag=True):
    """The list of all tensors. `format` is the number format of the weights in the model file."""

    parts: tuple[Part, ...]
    layers: int
    format: str


class Histogram(msgspec.Struct, frozen=True, tag=True):
    """The distribution of one tensor's weights.

    Attributes:
        typical: The root mean square of the weights.
        largest: The largest absolute value.
        counts: The number of weights in each bin. The bins have equal width and cover the range
            from -`largest` to `largest`.
        looked_at: The number of weights in the histogram.
        rounding: The estimated relative error from quantization in the model file, or None if the
            file contains floats.
    """

    typical: float
    largest: float
    counts: tuple[int, ...]
    looked_at: int
    rounding: float | None


Answer = Inventory | Histogram | Stream | Differences


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        role: The index of the selected role.
        tensor: The index of the selected tensor among those with that role.
        nbytes: True if the views compare sizes in bytes, False if they compare parameter counts.
        precision: The index of the selected precision in `PRECISIONS`.
        histograms: The histograms loaded so far, by tensor index.
        readings: The results of the runs so far, by precision in bits.
        running: The precision of the current run in bits, or None.
        tokens: The number of tokens processed in a run.
        left_out: The number of tokens that were cut from the text.
    """

    text: str = "The capital of France is Paris, and the capital of Italy is Rome."
    view: View = "roles"
    inventory: Inventory | None = None
    role: int = 0
    tensor: int = 0
    layer: int = 0
    nbytes: bool = False
    precision: int = 0
    histograms: dict[int, Histogram] = {}
    readings: dict[int, Reading] = {}
    running: int | None = None
    tokens: int = 0
    left_out: int = 0

    @property
    def roles(self) -> tuple[str, ...]:
        parts = () if self.inventory is None else self.inventory.parts
        return tuple(dict.fromkeys(part.role for part in parts))

    def of_role(self, role: str) -> list[int]:
        """Return the indexes of all tensors with this role."""
        assert self.inventory is not None
        return [at for at, part in enumerate(self.inventory.parts) if part.role == role]

    @property
    def looked_at(self) -> int | None:
        """The index of the selected tensor, or None if the list of tensors is not loaded yet."""
        return None if self.inventory is None else self.of_role(self.roles[self.role])[self.tensor]

    def reading(self, bits: int) -> Reading:
        return self.readings.get(bits, Reading())

    @property
    def progress(self) -> tuple[int, Progress] | None:
        """The current run's precision in bits and progress in blocks, or None if idle."""
        if self.running is None or self.inventory is None:
            return None
        blocks = self.inventory.layers
        bits = self.running if self.reading(PRECISIONS[0]).done == blocks else PRECISIONS[0]
        return bits, Progress(self.reading(bits).done, blocks)


def act(state: State, action: Action) -> State:
    match action:
        case ShowView(view=view):
            return replace(state, view=view)
        case MoveFocus(by=by, axis=axis):
            inventory = state.inventory
            return state if inventory is None else _focused(state, inventory, axis, by)
        case Toggle():
            return replace(state, nbytes=not state.nbytes)
        case Run() if state.running is not None:
            return replace(state, running=None)
        case Run():
            return replace(state, view="precision", running=PRECISIONS[state.precision])
        case EditText(text=text):
            text = sentence(text)
            new = replace(state, text=text, readings={}, running=None, tokens=0, left_out=0)
            return replace(new, view="precision")


def _focused(state: State, inventory: Inventory, axis: Literal["row", "tensor"], by: int) -> State:
    if axis == "tensor":
        return _tensor(state, state.role, by)
    match state.view:
        case "roles":
            return _tensor(state, moved(state.role, by, len(state.roles)), 0)
        case "layers":
            return replace(state, layer=moved(state.layer, by, inventory.layers))
        case "precision":
            return replace(state, precision=moved(state.precision, by, len(PRECISIONS)))


def _tensor(state: State, role: int, by: int) -> State:
    count = len(state.of_role(state.roles[role]))
    return replace(state, role=role, tensor=moved(state.tensor, by, count))


def question(state: State) -> Question | None:
    if state.inventory is None:
        return Parts()
    if state.running is not None:
        return _next_slice(state, state.running)
    at = state.looked_at
    if state.view == "roles" and at is not None and at not in state.histograms:
        return Look(at)
    return None


def _next_slice(state: State, bits: int) -> Question | None:
    assert state.inventory is not None
    for wanted in dict.fromkeys((PRECISIONS[0], bits)):
        reading = state.reading(wanted)
        if reading.done < state.inventory.layers:
            return Through(state.text, wanted, reading.done, reading.stream)
        if reading.result is None:
            exact = state.reading(PRECISIONS[0]).stream
            return Compare(state.text, exact, reading.stream)
    return None


def receive(state: State, question: Question, answer: Answer) -> State:
    match question, answer:
        case Parts(), Inventory():
            known = replace(state, inventory=answer, layer=moved(state.layer, 0, answer.layers))
            return _tensor(known, moved(state.role, 0, len(known.roles)), 0)
        case Look(at=at), Histogram():
            return replace(state, histograms={**state.histograms, at: answer})
        case Through(bits=bits), Stream(data=None):
            # This machine has no kernel for this precision.
            readings = {**state.readings, bits: Reading(possible=False)}
            return replace(state, readings=readings, running=None)
        case Through(bits=bits), Stream(data=bytes() as data, tokens=tokens, left_out=left_out):
            errors_so_far = (*state.reading(bits).errors, answer.errors)
            readings = {**state.readings, bits: Reading(data, errors_so_far)}
            return replace(state, readings=readings, tokens=tokens, left_out=left_out)
        case Compare(), Differences():
            assert state.running is not None
            exact = state.reading(PRECISIONS[0])  # The run at full precision always comes first.
            bits = PRECISIONS[0] if exact.result is None else state.running
            done = replace(state.reading(bits), result=answer)
            running = None if bits == state.running else state.running
            return replace(state, readings={**state.readings, bits: done}, running=running)
        case _:
            return state  # Ignore a response that doesn't match its request.


FAR_OUT = 25
FEW_BITS = 4


@goal("outlier", "Find a weight that is 25 times its tensor's typical size")
def _outlier(state: State) -> bool:
    return any(found.largest >= FAR_OUT * found.typical for found in state.histograms.values())


def _results(state: State) -> list[tuple[int, Differences]]:
    return [(bits, r.result) for bits, r in state.readings.items() if r.result is not None]


@goal("harmless", "Round to 4 or fewer bits and keep the divergence below 0.05 bits")
def _harmless(state: State) -> bool:
    return any(bits <= FEW_BITS and found.divergence < 0.05 for bits, found in _results(state))


@goal("ruin", "Round until the top token changes at over half of the positions")
def _ruined(state: State) -> bool:
    return any(found.same < 0.5 for _, found in _results(state))


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="anatomy",
    title="Anatomy of a model",
    about="Find where the parameters are and how many bits they need",
    order=130,
    lesson="attention",
    task=(
        "See where the parameters are, and find out how many bits each one needs. Look at the "
        "weights of any tensor, then round all weights and see when the predictions change."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    work=work(
        *("view", "role", "tensor", "layer", "nbytes"),
        text=sentence,
        precision=len(PRECISIONS),
    ),
    goals=(_outlier, _harmless, _ruined),
    solution=(
        MoveFocus(5, "row"),  # Select the value matrices.
        ShowView("precision"),
        MoveFocus(3, "row"),  # Select 4 bits.
        Run(),
        MoveFocus(1, "row"),  # Select 3 bits.
        Run(),
    ),
)

"""The scale ladder: one text, read by models of very different sizes."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.errors import LabError
from tutor.labs.lab import Goal, Lab
from tutor.labs.published import MODELS, PUBLISHED_BYTES, SMOLLM2_TOKENS, training_compute

LONGEST = 600
"""Bytes of text that are read."""
BEST = 8
"""Guesses that are told of each model."""
LONG = 60
"""Bytes from which on a text counts as one to be known by heart."""

PARAGRAPH = (
    "Nobody on the island could say who had first kept bees there. The hives stood in rows along "
    "the stone wall, painted blue and white, and in the first warm week of spring the whole garden "
    "hummed. My aunt walked among them without a veil. She said that bees can tell a careful "
    "person from a careless one, and that most people are careless only because they are in a "
    "hurry."
)
"""Written for this lab: no model can have been trained on it before."""

Model = Literal["yours", "small", "loaded"]
READERS: tuple[Model, ...] = ("yours", "small", "loaded")
"""The network of the lab of training, the model that comes along, and the one in use."""
View = Literal["text", "ladder"]
Quantity = Literal["parameters", "bytes", "tokens", "compute"]
QUANTITIES: tuple[Quantity, ...] = ("parameters", "bytes", "tokens", "compute")


# --- what the learner does ------------------------------------------------------------------------


class Write(msgspec.Struct, frozen=True, tag_field="do", tag="write"):
    text: str


class Paragraph(msgspec.Struct, frozen=True, tag_field="do", tag="paragraph"):
    """The paragraph again that nobody was trained on."""


class See(msgspec.Struct, frozen=True, tag_field="do", tag="see"):
    """The text as it is read, or the ladder."""

    view: View


class Measure(msgspec.Struct, frozen=True, tag_field="do", tag="measure"):
    """Another quantity of the ladder as bars."""

    by: int


class Focus(msgspec.Struct, frozen=True, tag_field="do", tag="focus"):
    """The rung of the ladder that is so many further on."""

    by: int


Action = Write | Paragraph | See | Measure | Focus


# --- what is asked of the models ------------------------------------------------------------------


class Question(msgspec.Struct, frozen=True, tag=True):
    """What does this text cost that model, and what does it expect after it?"""

    model: Model
    text: str


class Guess(msgspec.Struct, frozen=True, array_like=True):
    data: bytes
    probability: float


class Reading(msgspec.Struct, frozen=True):
    """`size` is in bytes, `trained_on` the tokens that were read in training, None where that is
    not known. `bits` is what the text cost, in `pieces` tokens of `byte_count` bytes; `best` is
    what may come next, of `entropy` bits."""

    name: str
    parameters: int
    size: int
    trained_on: int | None
    pieces: int
    byte_count: int
    bits: float
    entropy: float
    best: tuple[Guess, ...]

    @property
    def bits_a_byte(self) -> float:
        return self.bits / self.byte_count

    @property
    def perplexity(self) -> float:
        """Per token: as if it had to choose fairly among so many."""
        return float(2.0 ** min(self.bits / self.pieces, 1000.0))


class Answer(msgspec.Struct, frozen=True, tag=True):
    """None where there is no such model: nothing was trained yet, or nothing came along."""

    reading: Reading | None


# --- the lab --------------------------------------------------------------------------------------


class Rung(msgspec.Struct, frozen=True):
    """A model on the ladder. What is not known is None."""

    name: str
    parameters: int | None
    bytes: int | None
    tokens: int | None
    compute: float | None
    source: str
    estimate: bool = False
    here: bool = False


class State(msgspec.Struct, frozen=True, kw_only=True):
    """`readings` are those of `text`, as far as they are known."""

    text: str
    left_out: int = 0
    view: View = "text"
    quantity: int = 3
    rung: int = 0
    readings: dict[Model, Reading | None] = {}

    @property
    def readers(self) -> tuple[Reading, ...]:
        """The smallest first; the model in use once, if it is the one that came along."""
        found = [reading for model in READERS if (reading := self.readings.get(model))]
        return tuple({reading.name: reading for reading in found}.values())


def start() -> State:
    return State(text=PARAGRAPH)


def act(state: State, action: Action) -> State:
    """Raises `LabError` for a text without anything to read."""
    new = msgspec.structs.replace
    match action:
        case Write(text):
            data = text.encode("utf-8", "replace")
            kept = data[:LONGEST].decode("utf-8", "ignore")
            if not kept:
                raise LabError("There is nothing to read.", "Write a sentence.")
            left_out = len(data) - len(kept.encode())
            return new(state, text=kept, left_out=left_out, readings={}, view="text")
        case Paragraph():
            return new(state, text=PARAGRAPH, left_out=0, readings={}, view="text")
        case See(view):
            return new(state, view=view)
        case Measure(by):
            return new(state, quantity=(state.quantity + by) % len(QUANTITIES))
        case Focus(by):
            return new(state, rung=min(max(0, state.rung + by), len(ladder(state)) - 1))


def question(state: State) -> Question | None:
    missing = [model for model in reversed(READERS) if model not in state.readings]
    return Question(missing[0], state.text) if missing else None


def heard(state: State, question: Question, answer: Answer) -> State:
    if question.text != state.text:
        return state
    readings = {**state.readings, question.model: answer.reading}
    return msgspec.structs.replace(state, readings=readings)


_SOURCES: dict[int | None, str] = {
    None: "weights and bytes as counted; how many tokens it read is not known here",
    SMOLLM2_TOKENS: "weights and bytes as counted; the tokens are those of its model card",
}


def ladder(state: State) -> tuple[Rung, ...]:
    """The models at hand and those that one reads about, from the least compute to the most; last
    those of which it is not known."""
    rungs = [
        Rung(
            reading.name,
            reading.parameters,
            reading.size,
            reading.trained_on,
            training_compute(reading.parameters, reading.trained_on),
            _SOURCES.get(
                reading.trained_on, "weights and bytes as counted; tokens as its training noted"
            ),
            here=True,
        )
        for reading in state.readers
    ]
    for model in MODELS:
        size = PUBLISHED_BYTES * model.parameters if model.parameters else None
        compute = model.compute or training_compute(model.parameters, model.tokens)
        rungs.append(
            Rung(
                f"{model.name} ({model.year})", model.parameters, size, model.tokens, compute,
                model.source, model.estimate,
            )
        )  # fmt: skip
    return tuple(sorted(rungs, key=lambda rung: (not rung.here, rung.compute or 0.0)))


# --- goals ----------------------------------------------------------------------------------------


def _by_heart(state: State) -> bool:
    reading = state.readings.get("loaded")
    return reading is not None and reading.byte_count >= LONG and reading.bits_a_byte < 0.5


def _smaller_wins(state: State) -> bool:
    small, loaded = state.readings.get("small"), state.readings.get("loaded")
    return (
        small is not None
        and loaded is not None
        and small.parameters < loaded.parameters
        and small.bits < loaded.bits
    )


def _noise(state: State) -> bool:
    readers = state.readers
    return len(state.readings) == len(READERS) and all(r.bits_a_byte >= 5 for r in readers)


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="scale",
    title="The scale ladder",
    lesson="learning",
    task="Let models of very different sizes read the same text, and compare what it costs them.",
    actions=Action,
    questions=Question,
    answers=Answer,
    start=start,
    act=act,
    question=question,
    heard=heard,
    goals=(
        Goal("by-heart", "60 bytes or more for under 0.5 bits a byte: known by heart", _by_heart),
        Goal(
            "smaller-wins", "a text that costs the small model less than the large", _smaller_wins
        ),
        Goal("noise", "a text that costs every model 5 bits a byte or more", _noise),
    ),
    solution=(
        Write(
            "We hold these truths to be self-evident, that all men are created equal, that they "
            "are endowed by their Creator with certain unalienable Rights"
        ),
        Write("The capital of Burkina Faso is Ouagadougou."),
        Write("qzx vkw pjq zzt bxk"),
    ),
)

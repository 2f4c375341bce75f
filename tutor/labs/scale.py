"""The scale ladder: one text, read by models of very different sizes."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.errors import LabError
from tutor.labs.lab import Goal, Lab, Write
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

Model = Literal["yours", "small", "loaded", "other"]
READERS: tuple[Model, ...] = ("yours", "small", "loaded")
"""The network of the lab of training, the model that comes along, and the one in use. Another one
that is installed reads too where the learner wants it."""
View = Literal["text", "ladder"]
Quantity = Literal["parameters", "bytes", "tokens", "compute"]
QUANTITIES: tuple[Quantity, ...] = ("parameters", "bytes", "tokens", "compute")


# --- what the learner does ------------------------------------------------------------------------


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


class Other(msgspec.Struct, frozen=True, tag_field="do", tag="other"):
    """Let the next one of the other models that are installed read too; after the last, none."""


Action = Write | Paragraph | See | Measure | Focus | Other


# --- what is asked of the models ------------------------------------------------------------------


class Read(msgspec.Struct, frozen=True, tag=True):
    """What does this text cost that model, and what does it expect after it? `name` is that of
    an installed model, for "other"."""

    model: Model
    text: str
    name: str = ""


class Others(msgspec.Struct, frozen=True, tag=True):
    """Which other models are installed? One that was loaded to read is not needed any more."""


Question = Read | Others


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


class Told(msgspec.Struct, frozen=True, tag=True):
    """None where there is no such model: nothing was trained yet, or nothing came along."""

    reading: Reading | None


class Installed(msgspec.Struct, frozen=True, tag=True):
    names: tuple[str, ...]


class Coming(msgspec.Struct, frozen=True, tag=True):
    """Not read yet: what is done with the model just now, `done` of `total` of it where that is
    known, and for about how many `seconds` more. To be asked again."""

    doing: str
    done: int
    total: int
    seconds: float | None


class Refused(msgspec.Struct, frozen=True, tag=True):
    """This model cannot read here."""

    why: str


Answer = Told | Installed | Coming | Refused


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
    """`readings` are those of `text`, as far as they are known. `others` are the installed models
    that could read too, None where that is to be asked; `other` is the one that does. `coming`
    says how far it is, `refused` why it does not."""

    text: str
    left_out: int = 0
    view: View = "text"
    quantity: int = 3
    rung: int = 0
    readings: dict[Model, Reading | None] = {}
    others: tuple[str, ...] | None = None
    other: str | None = None
    coming: Coming | None = None
    refused: str | None = None

    @property
    def wanted(self) -> tuple[Model, ...]:
        """The models that are to read."""
        return READERS if self.other is None or self.refused else (*READERS, "other")

    @property
    def complete(self) -> bool:
        return all(model in self.readings for model in self.wanted)

    @property
    def readers(self) -> tuple[Reading, ...]:
        """The smallest first; the model in use once, if it is the one that came along."""
        found = [reading for model in self.wanted if (reading := self.readings.get(model))]
        once = {reading.name: reading for reading in found}
        return tuple(sorted(once.values(), key=lambda reading: reading.parameters))


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
            return _about(state, kept, len(data) - len(kept.encode()))
        case Paragraph():
            return _about(state, PARAGRAPH, 0)
        case See(view):
            return new(state, view=view)
        case Measure(by):
            return new(state, quantity=(state.quantity + by) % len(QUANTITIES))
        case Focus(by):
            return new(state, rung=min(max(0, state.rung + by), len(ladder(state)) - 1))
        case Other():
            return _with_another(state)


def _about(state: State, text: str, left_out: int) -> State:
    """Nobody has read this text yet."""
    return msgspec.structs.replace(
        state, text=text, left_out=left_out, readings={}, coming=None, view="text"
    )


def _with_another(state: State) -> State:
    names = state.others or ()
    place = names.index(state.other) + 1 if state.other in names else 0
    other = names[place] if place < len(names) else None
    return msgspec.structs.replace(
        state,
        view="text",
        other=other,
        # after the last they are asked for anew: one may have been fetched meanwhile
        others=state.others if other else None,
        readings={model: state.readings[model] for model in READERS if model in state.readings},
        coming=None,
        refused=None,
    )


def question(state: State) -> Question | None:
    missing = [model for model in reversed(READERS) if model not in state.readings]
    if missing:
        return Read(missing[0], state.text)
    if state.others is None:
        return Others()
    if state.other is None or state.complete:
        return None
    return Read("other", state.text, state.other)


def heard(state: State, question: Question, answer: Answer) -> State:
    new = msgspec.structs.replace
    match question, answer:
        case _, Installed(names):
            return new(state, others=names)
        case _, Coming():
            return new(state, coming=answer)
        case _, Refused(why):
            return new(state, refused=why, coming=None)
        case Read(model, text), Told(reading) if text == state.text:
            return new(state, readings={**state.readings, model: reading}, coming=None)
    return state


_SOURCES: dict[int | None, str] = {
    None: "weights and bytes as counted; how many tokens it read is not known here",
    SMOLLM2_TOKENS: "weights and bytes as counted; the tokens are those of its model card",
}


def ladder(state: State) -> tuple[Rung, ...]:
    """The models at hand, the smallest first; then those that one reads about, from the least
    compute to the most, before them those of which it is not known."""
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
    # those at hand stand as `readers` has them
    here, others = rungs[: len(state.readers)], rungs[len(state.readers) :]
    return (*here, *sorted(others, key=lambda rung: rung.compute or 0.0))


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
    return state.complete and all(reading.bits_a_byte >= 5 for reading in state.readers)


def _takes_another_model(question: Question) -> bool:
    return isinstance(question, Others) or question.model == "other"


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="scale",
    title="The scale ladder",
    lesson="learning",
    task="Let models of very different sizes read the same text, and compare what it costs them.",
    private=_takes_another_model,
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

"""The scale ladder: one text, read by models of very different sizes."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError
from tutor.labs.kit.actions import Choose, EditText, MoveFocus, ShowView, cycled, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.remote import Add, Remove
from tutor.labs.scale import questions, remote_reading
from tutor.labs.scale.questions import Answer, Question
from tutor.labs.scale.rungs import Rung, rungs
from tutor.vendors.catalogue import RemoteModel

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

READERS: tuple[questions.Model, ...] = ("yours", "small", "loaded")
"""The network of the lab of training, the model that comes along, and the one in use. Another one
that is installed reads too where the learner wants it."""
View = Literal["text", "ladder"]
VIEWS: tuple[View, ...] = ("text", "ladder")
Quantity = Literal["parameters", "bytes", "tokens", "compute"]
QUANTITIES: tuple[Quantity, ...] = ("parameters", "bytes", "tokens", "compute")


class ReadParagraph(msgspec.Struct, frozen=True, tag_field="do", tag="paragraph"):
    """Read the paragraph again that no model was trained on."""


class Agree(msgspec.Struct, frozen=True, tag_field="do", tag="agree"):
    """Whether the model elsewhere that is to read may be sent the text; it is asked then, once
    more if it was before."""

    yes: bool


Action = (
    EditText
    | ReadParagraph
    | ShowView[View]
    | MoveFocus[Literal["rung", "quantity"]]
    | Choose[Literal["other"]]
    | Add
    | Remove
    | Agree
)
"""The focus is on a rung of the ladder, and on the quantity that its bars show. The other model is
one that reads too: first those that are installed, then those elsewhere; after the last, none."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """`readings` are those of `text`, as far as they are known. `others` are the installed models
    that could read too, None where that is to be asked; `other` is the one that does. `coming`
    says how far it is, `refused` why it does not. In its place one `elsewhere` may read."""

    text: str = PARAGRAPH
    left_out: int = 0
    view: View = "text"
    quantity: int = 3
    rung: int = 0
    readings: dict[questions.Model, questions.Reading | None] = {}
    others: tuple[str, ...] | None = None
    other: str | None = None
    coming: questions.Coming | None = None
    refused: str | None = None
    elsewhere: remote_reading.Elsewhere = remote_reading.Elsewhere()

    @property
    def wanted(self) -> tuple[questions.Model, ...]:
        """The models that are to read."""
        return READERS if self.other is None or self.refused else (*READERS, "other")

    @property
    def complete(self) -> bool:
        """Whether all that are here have read."""
        return all(model in self.readings for model in self.wanted)

    @property
    def reachable(self) -> tuple[str | RemoteModel, ...]:
        """The models that one key lets read after each other: those installed by their names, then
        those elsewhere."""
        return (*(self.others or ()), *self.elsewhere.servers)

    @property
    def readers(self) -> tuple[questions.Reading, ...]:
        """The smallest first; the model in use once, if it is the one that came along."""
        found = [reading for model in self.wanted if (reading := self.readings.get(model))]
        once = {reading.name: reading for reading in found}
        return tuple(sorted(once.values(), key=lambda reading: reading.parameters))


def act(state: State, action: Action) -> State:
    """Raises `LabError` for a text without anything to read."""
    match action:
        case EditText(text=text):
            data = text.encode("utf-8", "replace")
            kept = data[:LONGEST].decode("utf-8", "ignore")
            if not kept:
                raise LabError("There is nothing to read.", "Write a sentence.")
            return _about(state, kept, len(data) - len(kept.encode()))
        case ReadParagraph():
            return _about(state, PARAGRAPH, 0)
        case ShowView(view=view):
            return replace(state, view=view)
        case MoveFocus(by=by, axis=axis):
            if axis == "rung":
                return replace(state, rung=moved(state.rung, by, len(ladder(state))))
            return replace(state, quantity=(state.quantity + by) % len(QUANTITIES))
        case Choose(by=by):
            return _with_another(state, by)
        case Add():
            return _with_server(state, action.model)
        case Remove():
            return _without_another(state, remote_reading.without_server(state.elsewhere))
        case Agree(yes=yes):
            return replace(
                state, elsewhere=remote_reading.decided(state.elsewhere, yes), coming=None
            )


def _about(state: State, text: str, left_out: int) -> State:
    """Nobody has read this text yet."""
    return replace(
        state,
        text=text,
        left_out=left_out,
        readings={},
        coming=None,
        view="text",
        elsewhere=remote_reading.about_another_text(state.elsewhere),
    )


def _with_another(state: State, by: int) -> State:
    """The next one that can be reached reads too. After the last none does, and those that are
    installed are asked for anew: one may have been fetched meanwhile."""
    now = state.elsewhere.server or state.other
    another = cycled((None, *state.reachable), now if now in state.reachable else None, by)
    if isinstance(another, RemoteModel):
        return _with_server(state, another)
    none = _without_another(state, remote_reading.Elsewhere(state.elsewhere.servers))
    return replace(none, other=another, others=state.others if another else None)


def _with_server(state: State, server: RemoteModel) -> State:
    return _without_another(state, remote_reading.with_server(state.elsewhere, server))


def _without_another(state: State, elsewhere: remote_reading.Elsewhere) -> State:
    """Nobody reads but those that are always here, and who is to read `elsewhere`."""
    return replace(
        state,
        view="text",
        other=None,
        readings={model: state.readings[model] for model in READERS if model in state.readings},
        coming=None,
        refused=None,
        elsewhere=elsewhere,
    )


def ladder(state: State) -> tuple[Rung, ...]:
    return rungs(state.readers, state.elsewhere.server)


def question(state: State) -> Question | None:
    missing = [model for model in reversed(READERS) if model not in state.readings]
    if missing:
        return questions.Read(missing[0], state.text)
    if state.others is None:
        return questions.Others()
    if state.other is None or state.complete:
        return state.elsewhere.question(state.text)
    return questions.Read("other", state.text, state.other)


def receive(state: State, question: Question, answer: Answer) -> State:
    match answer:
        case questions.Installed(names=names):
            return replace(state, others=names)
        case questions.Coming():
            return replace(state, coming=answer)
        case questions.Refused(why=why) if isinstance(question, remote_reading.ReadElsewhere):
            return replace(state, elsewhere=replace(state.elsewhere, refused=why), coming=None)
        case questions.Refused(why=why):
            return replace(state, refused=why, coming=None)
        case remote_reading.Glance():
            return replace(state, elsewhere=replace(state.elsewhere, glance=answer), coming=None)
        case questions.Told(reading=reading):
            if not isinstance(question, questions.Read) or question.text != state.text:
                return state  # about a text that was given up
            return replace(state, readings={**state.readings, question.model: reading}, coming=None)


@goal("by-heart", "Find 60 bytes below 0.5 bits per byte: a memorized text")
def _by_heart(state: State) -> bool:
    reading = state.readings.get("loaded")
    return reading is not None and reading.byte_count >= LONG and reading.bits_a_byte < 0.5


@goal("smaller-wins", "Find a text that the small model predicts better")
def _smaller_wins(state: State) -> bool:
    small, loaded = state.readings.get("small"), state.readings.get("loaded")
    return (
        small is not None
        and loaded is not None
        and small.parameters < loaded.parameters
        and small.bits < loaded.bits
    )


@goal("noise", "Find a text above 5 bits per byte for every model")
def _noise(state: State) -> bool:
    return state.complete and all(reading.bits_a_byte >= 5 for reading in state.readers)


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="scale",
    title="The scale ladder",
    order=170,
    lesson="learning",
    task=("Let models of very different sizes process the same text, and compare their surprisal."),
    private=lambda question: not isinstance(question, questions.Read) or question.model == "other",
    start=State,
    act=act,
    question=question,
    receive=receive,
    goals=(_by_heart, _smaller_wins, _noise),
    solution=(
        EditText(
            "We hold these truths to be self-evident, that all men are created equal, that they "
            "are endowed by their Creator with certain unalienable Rights"
        ),
        EditText("The capital of Burkina Faso is Ouagadougou."),
        EditText("qzx vkw pjq zzt bxk"),
    ),
)

"""A lab that compares models of very different sizes: their surprisal, and their training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError
from tutor.labs.kit.actions import Choose, EditText, MoveFocus, ShowView, cycled, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.progress import Coming
from tutor.labs.kit.remote import Add, Remove, Sending, lost_model
from tutor.labs.kit.work import work
from tutor.labs.scale import questions, remote_reading
from tutor.labs.scale.questions import Answer, Question
from tutor.labs.scale.rungs import Rung, rungs
from tutor.language import _
from tutor.vendors.catalogue import RemoteModel

LONGEST = 600
"""The maximum length of a text, in bytes."""
BEST = 8
"""The number of probable next tokens listed for each model."""
LONG = 60
"""The minimum length, in bytes, of a text that can count as memorized."""

PARAGRAPH = (
    "No one on the island could say who had first kept bees there. The hives sat in rows along "
    "the stone wall, painted blue and white, and in the first warm week of spring the whole garden "
    "hummed. My aunt walked among them without a veil. She said that bees can tell a careful "
    "person from a careless one, and that most people are careless only because they are in a "
    "hurry."
)
"""A text that was written for this lab, so no model has been trained on it."""

READERS: tuple[questions.Model, ...] = ("yours", "small", "loaded")
"""The local models: the training lab's network, the small bundled model, and the loaded model. The
learner can add another installed model."""
View = Literal["text", "ladder"]
VIEWS: tuple[View, ...] = ("text", "ladder")
Quantity = Literal["parameters", "bytes", "tokens", "compute"]
QUANTITIES: tuple[Quantity, ...] = ("parameters", "bytes", "tokens", "compute")


class ReadParagraph(msgspec.Struct, frozen=True, tag_field="do", tag="paragraph"):
    """Return to the paragraph that no model was trained on."""


class Agree(msgspec.Struct, frozen=True, tag_field="do", tag="agree"):
    """Agree to send the text to the selected remote model, or decline if `yes` is False.

    Agreeing again resends the request.
    """

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
"""`MoveFocus` selects another model on the ladder, or another quantity for the bars. `Choose` adds
the next installed or remote model. After the last one, it adds none."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        left_out: The number of bytes that were cut from the text.
        quantity: The index of the quantity that the bars show.
        rung: The index of the selected model on the ladder.
        readings: The models' results for this text so far. The result is None for a model that
            doesn't exist.
        others: The names of the installed models that can be added, or None until they are known.
        other: The name of the installed model that was added, or None.
        coming: The progress of loading the added model, or of processing the text with it.
        refused: The reason why the added model cannot be used.
        remote: The remote models in the lab.
    """

    text: str = PARAGRAPH
    left_out: int = 0
    view: View = "text"
    quantity: int = 3
    rung: int = 0
    readings: dict[questions.Model, questions.Reading | None] = {}
    others: tuple[str, ...] | None = None
    other: str | None = None
    coming: Coming | None = None
    refused: str | None = None
    remote: remote_reading.Remote = remote_reading.Remote()

    @property
    def wanted(self) -> tuple[questions.Model, ...]:
        """The local models whose results the lab needs."""
        return READERS if self.other is None or self.refused else (*READERS, "other")

    @property
    def complete(self) -> bool:
        """True if all local models have results."""
        return all(model in self.readings for model in self.wanted)

    @property
    def reachable(self) -> tuple[str | RemoteModel, ...]:
        """The models that can be added: the names of installed models, then the remote models."""
        return (*(self.others or ()), *self.remote.servers)

    @property
    def readers(self) -> tuple[questions.Reading, ...]:
        """The results for all local models, from the smallest model to the largest.

        Each model appears once.
        """
        found = [reading for model in self.wanted if (reading := self.readings.get(model))]
        once = {reading.name: reading for reading in found}
        return tuple(sorted(once.values(), key=lambda reading: reading.parameters))


def act(state: State, action: Action) -> State:
    """Return the state after an action. Raises `LabError` if the text is empty."""
    match action:
        case EditText(text=text):
            kept = _kept(text)
            return _about(state, kept, len(text.encode("utf-8", "replace")) - len(kept.encode()))
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
            return _without_another(state, remote_reading.without_server(state.remote))
        case Agree(yes=yes):
            return replace(state, remote=remote_reading.decided(state.remote, yes), coming=None)


def _kept(text: str) -> str:
    """Return the beginning of a text, up to the maximum length.

    Raises `LabError` if the text is empty.
    """
    kept = text.encode("utf-8", "replace")[:LONGEST].decode("utf-8", "ignore")
    if not kept:
        raise LabError("The text is empty.", "Write a sentence.")
    return kept


def _about(state: State, text: str, left_out: int) -> State:
    """Return the state with another text, and without results."""
    return replace(
        state,
        text=text,
        left_out=left_out,
        readings={},
        coming=None,
        view="text",
        remote=remote_reading.about_another_text(state.remote),
    )


def _with_another(state: State, by: int) -> State:
    """Return the state with the next model added. After the last model, no model is added.

    In that case, the list of installed models is requested again, since the learner may have
    downloaded one in the meantime.
    """
    now = state.remote.server or state.other
    another = cycled((None, *state.reachable), now if now in state.reachable else None, by)
    if isinstance(another, RemoteModel):
        return _with_server(state, another)
    none = _without_another(state, remote_reading.Remote(state.remote.servers))
    return replace(none, other=another, others=state.others if another else None)


def _with_server(state: State, server: RemoteModel) -> State:
    return _without_another(state, remote_reading.with_server(state.remote, server))


def _without_another(state: State, remote: remote_reading.Remote) -> State:
    """Return the state without an added model, and with `remote` as its remote models."""
    return replace(
        state,
        view="text",
        other=None,
        readings={model: state.readings[model] for model in READERS if model in state.readings},
        coming=None,
        refused=None,
        remote=remote,
    )


def lost(before: State, after: State) -> str:
    """Return a sentence about what an action has removed, or "" if it has removed nothing."""
    if before.text != PARAGRAPH and after.text == PARAGRAPH:
        return _("Your own text was removed.")
    gone = [server for server in before.remote.servers if server not in after.remote.servers]
    return lost_model(gone[0], None) if gone else ""


def ladder(state: State) -> tuple[Rung, ...]:
    return rungs(state.readers, state.remote.server)


def sends(state: State, action: Action) -> list[Sending]:
    """Return what is sent to the selected remote model when the learner agrees."""
    server = state.remote.server
    if server is None or action != Agree(yes=True):
        return []
    return [
        Sending(server, _("The text, and each new text that you write while this model is chosen"))
    ]


def declined(state: State, action: Action, refused: Sequence[RemoteModel]) -> Agree:
    """Return the action that declines, so that nothing is sent."""
    return Agree(yes=False)


def question(state: State) -> Question | None:
    missing = [model for model in reversed(READERS) if model not in state.readings]
    if missing:
        return questions.Read(missing[0], state.text)
    if state.others is None:
        return questions.Others()
    if state.other is None or state.complete:
        return state.remote.question(state.text)
    return questions.Read("other", state.text, state.other)


def receive(state: State, question: Question, answer: Answer) -> State:
    match answer:
        case questions.Installed(names=names):
            return replace(state, others=names)
        case Coming():
            return replace(state, coming=answer)
        case questions.Refused(why=why) if isinstance(question, remote_reading.ReadRemotely):
            return replace(state, remote=replace(state.remote, refused=why), coming=None)
        case questions.Refused(why=why):
            return replace(state, refused=why, coming=None)
        case remote_reading.Glance():
            return replace(state, remote=replace(state.remote, glance=answer), coming=None)
        case questions.Told(reading=reading):
            if not isinstance(question, questions.Read) or question.text != state.text:
                return state  # a late response about another text
            return replace(state, readings={**state.readings, question.model: reading}, coming=None)


@goal("by-heart", "Find a memorized text of 60 or more bytes: under 0.5 bits per byte")
def _by_heart(state: State) -> bool:
    reading = state.readings.get("loaded")
    return reading is not None and reading.byte_count >= LONG and reading.bits_a_byte < 0.5


@goal("smaller-wins", "Find a text that the small model predicts better than the loaded one")
def _smaller_wins(state: State) -> bool:
    small, loaded = state.readings.get("small"), state.readings.get("loaded")
    return (
        small is not None
        and loaded is not None
        and small.parameters < loaded.parameters
        and small.bits < loaded.bits
    )


@goal("noise", "Find a text with 5 or more bits per byte for every model")
def _noise(state: State) -> bool:
    return state.complete and all(reading.bits_a_byte >= 5 for reading in state.readers)


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="scale",
    title="The scale ladder",
    about="Compare the surprisal of small and large models on a text",
    order=170,
    lesson="learning",
    task=("Let models of very different sizes process the same text, and compare their surprisal."),
    sends=sends,
    declined=declined,
    private=lambda question: not isinstance(question, questions.Read) or question.model == "other",
    start=State,
    act=act,
    question=question,
    receive=receive,
    lost=lost,
    work=work("left_out", "view", "rung", text=_kept, quantity=len(QUANTITIES)),
    reset_settings=lambda s: act(s, ReadParagraph()) if s.text != PARAGRAPH else None,
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

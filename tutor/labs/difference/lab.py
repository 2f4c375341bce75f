"""A lab that compares two distributions over the next token, called A and B."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.difference import questions
from tutor.labs.difference.goals import GOALS
from tutor.labs.difference.questions import (
    FEED_FORWARD,
    PRECISIONS,
    Answer,
    Compare,
    Others,
    Part,
    Question,
    Setup,
    Slice,
    Text,
    Tuned,
)
from tutor.labs.difference.state import END, State, View
from tutor.labs.kit.actions import Adjust, Choose, EditText, MoveFocus, ShowView, Toggle, moved
from tutor.labs.kit.dials import DIALS, turned
from tutor.labs.kit.lab import Lab
from tutor.labs.kit.progress import Coming, Progress
from tutor.labs.kit.results import ModelResults
from tutor.labs.kit.sentence import sentence
from tutor.labs.kit.work import Refused, work
from tutor.language import _
from tutor.lm.comparison import Order
from tutor.lm.distribution import PLAIN, SamplerSettings


class Open(msgspec.Struct, frozen=True, tag_field="do", tag="open"):
    """Compare the stepper's text and sampler settings with B, and select a position.

    `place` is the number of tokens before the position. If B would otherwise be the same as A,
    and A's sampler settings are not plain, B gets the plain settings.
    """

    text: Text
    sampler: SamplerSettings = PLAIN
    place: int = END + 1


class FindLargest(msgspec.Struct, frozen=True, tag_field="do", tag="largest"):
    """Go to the position at which A and B diverge most."""


class SwitchOffStrongest(msgspec.Struct, frozen=True, tag_field="do", tag="strongest"):
    """Switch off only the part whose effect is most specific to the selected position.

    If the learner repeats this at the same position, the next part of `State.strongest` is switched
    off instead. The effects of all parts are measured first, which takes some time.
    """


Action = (
    Open
    | EditText
    | ShowView[View]
    | MoveFocus[Literal["place", "dial", "layer", "part"]]
    | Adjust[Literal["dial"]]
    | Choose[Literal["precision", "model"]]
    | Toggle[Literal["part", "order"]]
    | FindLargest
    | SwitchOffStrongest
)
"""`EditText` edits the text of A, the text of B if `field` is "b", or the question to the base and
instruct models if it is "asked". `Toggle` switches the selected part of the network off or on, or
changes the order of the rows."""


def act(state: State, action: Action) -> State:
    match action:
        case Open(text=text, sampler=sampler, place=place):
            place = max(0, place - 1)
            b = state.b if text == state.a else text.text
            nothing = state.view == "tuning" or state.difference is None
            view: View = "prompt" if nothing else state.view
            opened = replace(state, a=_checked(text), b=b, sampler=sampler, place=place, view=view)
            if opened.same and not sampler.plain:
                opened = replace(opened, view="sampler", sampler_b=PLAIN)
            return _of_another_text(opened)
        case EditText(text=text, field="b"):
            edited = replace(state, b=sentence(text), view="prompt", place=END, setup=None)
            return _outdated(edited)
        case EditText(text=text, field="asked"):
            edited = replace(state, asked=sentence(text), view="tuning", place=END, setup=None)
            return _outdated(edited)
        case EditText(text=text):
            return _of_another_text(replace(state, a=Text(sentence(text)), place=END))
        case ShowView(view=view):
            return _with_view(state, view)
        case MoveFocus(by=by, axis=axis):
            return _focused(state, by, axis)
        case Adjust(by=by):
            settings = state.sampler_b
            for __ in range(abs(by)):
                settings = turned(settings, DIALS[state.dial], by)
            return _changed(state, replace(state, sampler_b=settings))
        case Choose(by=by, what="precision"):
            precision = moved(state.precision, by, len(PRECISIONS))
            return _changed(state, replace(state, precision=precision))
        case Choose(by=by):
            return _with_model(state, by)
        case Toggle(what="order"):
            order: Order = "probability" if state.order == "change" else "change"
            return replace(state, order=order)
        case Toggle():
            if state.setup is None:
                return state
            parts = tuple(sorted({state.focus} ^ set(state.parts)))
            return _outdated(replace(state, parts=parts))
        case FindLargest():
            return _at(state, state.largest) if state.compared else state
        case SwitchOffStrongest():
            return _without_strongest(replace(state, scanning=not state.scanned))


def _checked(text: Text) -> Text:
    """Return the text unchanged. Raises `TutorError` if it is empty or too long."""
    sentence(text.text)
    return text


def _outdated(state: State) -> State:
    """Return the state without its comparison, which is outdated after A or B has changed."""
    return replace(state, compared=(), progress=None, refused=None)


def _at(state: State, number: int) -> State:
    """Return the state after selecting the pair of positions with this index."""
    return replace(state, place=state.places[number].a - 1, tried=0)


def _of_another_text(state: State) -> State:
    return _outdated(replace(state, setup=None, scan=(), scanning=False, tried=0))


def _without_strongest(state: State) -> State:
    """Switch off the next part of `State.strongest`, or change nothing if the list is empty."""
    setup, strongest = state.setup, state.strongest
    if setup is None or not strongest:
        return state
    part = strongest[state.tried % len(strongest)]
    at = setup.heads if part.head == FEED_FORWARD else part.head
    found = replace(state, parts=(part,), layer=part.layer, part=at, tried=state.tried + 1)
    return _outdated(replace(found, view="parts"))


def _changed(before: State, after: State) -> State:
    return after if after.difference == before.difference else _outdated(after)


def _focused(state: State, by: int, axis: Literal["place", "dial", "layer", "part"]) -> State:
    if axis == "dial":
        return replace(state, dial=moved(state.dial, by, len(DIALS)))
    if state.setup is None:
        return state
    if axis == "place":
        return _at(state, moved(state.at, by, len(state.places)))
    count = state.setup.layers if axis == "layer" else state.setup.heads + 1
    return replace(state, **{axis: moved(getattr(state, axis), by, count)})


def _with_view(state: State, view: View) -> State:
    if view == state.view:
        return state
    # The learner may have installed the first other model in the meantime.
    shown = _outdated(replace(state, view=view, others=state.others or None))
    # "tuning" has its own models and its own text.
    if "tuning" in (view, state.view):
        return replace(shown, setup=None, place=END)
    return shown


def _with_model(state: State, by: int) -> State:
    """Choose the model for B that is `by` entries ahead. The first entry is "none"."""
    names = (None, *(state.others or ()))
    at = names.index(state.other) if state.other in names else 0
    other = names[moved(at, by, len(names))]
    changed = _changed(state, replace(state, other=other))
    # The learner may have downloaded a model in the meantime.
    return replace(changed, others=None) if other is None else changed


def question(state: State) -> Question | None:
    if state.view == "model" and state.others is None:
        return Others()
    if state.view == "parts" and state.scanning and state.complete:
        return questions.Scan(state.a, state.sampler, len(state.scan))
    if state.refused is not None or state.complete:
        return None
    b = state.difference
    return None if b is None else Compare(state.a, state.sampler, b, len(state.compared))


def receive(state: State, question: Question, answer: Answer) -> State:
    match question, answer:
        case _, Progress() | Coming():
            return replace(state, progress=answer)
        case _, questions.Refused(why=why):
            return replace(state, refused=why, progress=None)
        case _, questions.Installed(names=names):
            other = state.other if state.other in names else None
            return replace(state, others=names, other=other, progress=None)
        case questions.Scan(first=first), questions.Effects(bits=bits):
            if first != len(state.scan):
                return state  # A response to an outdated request.
            new = replace(state, scan=(*state.scan, *bits), progress=None)
            return _without_strongest(replace(new, scanning=False)) if new.scanned else new
        case Compare(first=first, b=b), Slice(setup=setup, compared=compared):
            if first != len(state.compared):
                return state  # A response to an outdated request.
            return replace(
                state,
                setup=setup,
                scan=state.scan if isinstance(b, Tuned) or _fits(state, setup) else (),
                compared=(*state.compared, *compared),
                progress=None,
                place=moved(state.place, 0, len(setup.tokens_a)),
                layer=moved(state.layer, 0, setup.layers),
                part=moved(state.part, 0, setup.heads + 1),
                parts=tuple(part for part in state.parts if _exists(part, setup)),
            )
        case _:
            return state  # Responses always match their requests.


def _exists(part: Part, setup: Setup) -> bool:
    return 0 <= part.layer < setup.layers and FEED_FORWARD <= part.head < setup.heads


def _fits(state: State, setup: Setup) -> bool:
    """Return True if the number of effects and their lengths match this model and text."""
    count = setup.layers * (setup.heads + 1)
    return len(state.scan) <= count and all(len(s) == len(setup.tokens_a) for s in state.scan)


def _reset_settings(state: State) -> State | None:
    initial = State()
    reset = replace(
        state,
        sampler=initial.sampler,
        sampler_b=initial.sampler_b,
        parts=initial.parts,
        tried=0,
        precision=initial.precision,
        other=initial.other,
    )
    if reset.sampler != state.sampler:  # The measured effects depend on the sampler.
        reset = replace(reset, scan=(), scanning=False)
    return None if reset == state else _outdated(reset)


def _private(question: Question) -> bool:
    """Return True if a request involves another model."""
    match question:
        case Others() | Compare(b=questions.OtherModel() | Tuned()):
            return True
        case _:
            return False


def _lost(before: State, after: State) -> str:
    if before.scan and not after.scan:
        if before.a == after.a:
            return _("The sampler settings changed, so the measured effects were removed.")
        return _("The text changed, so the measured effects of the parts were removed.")
    texts, initial = (before.a.text, before.b), State()
    if after.a.ids and after.a != before.a and texts != (initial.a.text, initial.b):
        return _("The texts that you compared before have been replaced.")
    gone = set(before.parts) - set(after.parts)
    return _("The parts that were off are on again.") if len(gone) > 1 else ""


def _text(text: Text) -> Text:
    """Return saved text unchanged. Raises `TutorError` if it is invalid."""
    checked = _checked(text)
    if text.ids and min(text.ids) < 0:
        raise Refused
    return checked


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="difference",
    title="A against B",
    about="Compare two predictions, token by token, in bits",
    order=282,
    lesson="why",
    task=(
        "Compare the model's predictions with those of a second setup, called B: another prompt, "
        "sampler, precision or model, or the same model with parts switched off. See where in the "
        "text they diverge, and by how much. The last view compares a base model with the instruct "
        "model that was made from it."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    texts=("b", "asked"),
    private=_private,
    lost=_lost,
    work=work(
        "view",
        "sampler",
        "sampler_b",
        "layer",
        "part",
        "parts",
        "place",
        "order",
        a=_text,
        b=sentence,
        asked=sentence,
        dial=len(DIALS),
        precision=len(PRECISIONS),
    ),
    reset_settings=_reset_settings,
    results=ModelResults(("scan",)),
    goals=GOALS,
    solution=(
        EditText("When Mary and John went to the store, they gave a drink to", "b"),
        FindLargest(),
        ShowView("sampler"),
        Adjust(-5, "dial"),
        FindLargest(),
        ShowView("parts"),
        MoveFocus(-99, "layer"),
        MoveFocus(23, "layer"),
        MoveFocus(3, "part"),
        Toggle("part"),
    ),
)

"""One prompt to up to four models, their answers side by side.

The model that is loaded and the small one that comes along answer here; models elsewhere where
there is a key for them, or an address. What was measured of an answer stands beside it: the time
to its first token, how many tokens, how many a second, and what they cost by the dated price.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import combinations
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError
from tutor.labs.kit.actions import Adjust, EditText, MoveFocus, Toggle, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.remote import Add, Remove
from tutor.vendors.catalogue import Price, RemoteModel
from tutor.vendors.runs import ErrorReport, Offer
from tutor.vendors.service import Reason

LONGEST = 2_000
"""Characters of a prompt."""
MOST_MODELS = 4
MOST_TOKENS = 80
"""Tokens of an answer."""
TEMPERATURES = (0.0, 0.7, 1.0)

_WORD = re.compile(r"[^\W\d_]{4,}")

Here = Literal["loaded", "small"]
"""The model that the engine holds, and the small one that comes along."""


class Model(msgspec.Struct, frozen=True):
    """One that can be asked: `here`, or `elsewhere`. `key` says whether there is one for it, where
    one is needed; `variable` is what it would be called. `added`: the learner named it."""

    here: Here | None = None
    elsewhere: RemoteModel | None = None
    key: bool = True
    variable: str = ""
    added: bool = False

    @property
    def price(self) -> Price | None:
        return self.elsewhere.price if self.elsewhere else None


class Reply(msgspec.Struct, frozen=True):
    """What a model has answered so far. `name` is what the model calls itself. `ids` are its
    tokens, of a model here; `pieces` counts what has arrived from one elsewhere. Seconds are those
    that the model worked here, and those since the request elsewhere. Numbers of tokens are None
    where nobody tells."""

    name: str = ""
    begun: bool = False
    text: str = ""
    ids: tuple[int, ...] = ()
    pieces: int = 0
    first_after: float | None = None
    seconds: float = 0.0
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    reason: Reason | None = None
    trouble: ErrorReport | None = None

    @property
    def over(self) -> bool:
        return self.reason is not None or self.trouble is not None

    @property
    def a_second(self) -> float | None:
        """Tokens a second, over the whole time: the wait for the first is part of it."""
        if not self.answer_tokens or not self.seconds:
            return None
        return self.answer_tokens / self.seconds


def cost(model: Model, reply: Reply) -> float | None:
    """US dollars; None where the price or the tokens are not known."""
    known = reply.prompt_tokens is not None and reply.answer_tokens is not None
    if model.price is None or not known:
        return None
    return model.price.cost(reply.prompt_tokens or 0, reply.answer_tokens or 0)


class Ask(msgspec.Struct, frozen=True, tag_field="do", tag="ask"):
    """Ask all that are chosen; stop them while they answer. `without` are places of models that the
    learner has not agreed to send anything to."""

    without: tuple[int, ...] = ()


Action = (
    EditText
    | MoveFocus[Literal["model"]]
    | Toggle[Literal["model"]]
    | Adjust[Literal["temperature"]]
    | Add
    | Remove
    | Ask
)
"""`Toggle` chooses the model in focus, or leaves it out. After the highest temperature comes the
lowest."""


class Which(msgspec.Struct, frozen=True, tag="which"):
    """What can be asked?"""


class Go(msgspec.Struct, frozen=True, tag="go"):
    """Go on for a moment with these replies; `run` tells one request from the next."""

    run: int
    prompt: str
    temperature: float
    asked: tuple[tuple[int, Model, Reply], ...]


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Stop what is under way elsewhere."""

    run: int
    places: tuple[int, ...]


Question = Which | Go | Stop


class Offers(msgspec.Struct, frozen=True, tag="offers"):
    """The names of the models here, and the services of the catalogue."""

    loaded: str
    small: str
    services: tuple[Offer, ...]


class Replies(msgspec.Struct, frozen=True, tag="replies"):
    replies: dict[int, Reply]


class Stopped(msgspec.Struct, frozen=True, tag="stopped"):
    pass


Answer = Offers | Replies | Stopped


class State(msgspec.Struct, frozen=True, kw_only=True):
    """`chosen` are places in `models`; `replies` are by place, to `asked`, the prompt of this run.
    `refused` are places that the learner did not want to send it to. `stopping` until what is
    under way elsewhere is stopped."""

    prompt: str = "Say hello."
    asked: str = ""
    models: tuple[Model, ...] = ()
    names: tuple[str, ...] = ()
    chosen: tuple[int, ...] = ()
    focus: int = 0
    temperature: int = 0
    run: int = 0
    running: bool = False
    stopping: bool = False
    replies: dict[int, Reply] = {}
    refused: tuple[int, ...] = ()

    @property
    def removable(self) -> bool:
        """Whether the model in focus can be taken away: it was added, and is not being asked."""
        asking = self.running or self.stopping
        return bool(self.models) and self.models[self.focus].added and not asking

    @property
    def outdated(self) -> bool:
        """Whether the replies are to another prompt than the one that would be asked now."""
        return bool(self.replies) and self.asked != self.prompt

    @property
    def done(self) -> list[Reply]:
        """The answers that came to their end."""
        return [reply for reply in self.replies.values() if reply.reason is not None]


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text):
            if not text.strip():
                raise LabError("There is nothing to ask.", "Write a question, or an order.")
            return replace(_halted(state), prompt=text[:LONGEST])
        case MoveFocus(by=by):
            return replace(state, focus=moved(state.focus, by, len(state.models)))
        case Toggle():
            return _toggled(state)
        case Add():
            return _added(state, action.model)
        case Remove():
            return _removed(state)
        case Adjust(by=by):
            return replace(state, temperature=(state.temperature + by) % len(TEMPERATURES))
        case Ask(without=without):
            return _halted(state) if state.running else _asked(state, without)


def _asked(state: State, without: tuple[int, ...]) -> State:
    places = [place for place in state.chosen if place not in without]
    if not places:
        return replace(state, refused=without)
    return replace(
        state,
        asked=state.prompt,
        run=state.run + 1,
        running=True,
        stopping=False,
        replies={place: Reply() for place in sorted(places)},
        refused=without,
    )


def _halted(state: State) -> State:
    """What arrived so far stays."""
    elsewhere = state.running and any(_is_under_way(state, place) for place in state.replies)
    return replace(state, running=False, stopping=elsewhere or state.stopping)


def _is_under_way(state: State, place: int) -> bool:
    return state.models[place].elsewhere is not None and not state.replies[place].over


def _toggled(state: State) -> State:
    if not state.models:
        return state
    model = state.models[state.focus]
    if state.focus in state.chosen:
        chosen = tuple(place for place in state.chosen if place != state.focus)
    elif not model.key:
        raise LabError(
            f"There is no key for {state.names[state.focus]}.",
            f"Set {model.variable} before you start tutor.",
        )
    elif len(state.chosen) >= MOST_MODELS:
        raise LabError("Four are asked at most.", "Leave one of the others out.")
    else:
        chosen = (*state.chosen, state.focus)
    return replace(state, chosen=tuple(sorted(chosen)))


def _added(state: State, elsewhere: RemoteModel) -> State:
    """At the end of the list, and chosen where there is room."""
    place = len(state.models)
    chosen = (*state.chosen, place) if len(state.chosen) < MOST_MODELS else state.chosen
    return replace(
        state,
        models=(*state.models, Model(elsewhere=elsewhere, added=True)),
        names=(*state.names, _shown_name(elsewhere)),
        chosen=chosen,
        focus=place,
    )


def _removed(state: State) -> State:
    """Without the model in focus. Those below it move up, with their replies."""
    if not state.removable:
        raise LabError(
            "This model cannot be taken away.", "Only one that you added, while nothing is asked."
        )
    gone = state.focus

    def left(places: Iterable[int]) -> list[int]:
        return [place - (place > gone) for place in places if place != gone]

    replies = [reply for place, reply in state.replies.items() if place != gone]
    return replace(
        state,
        models=(*state.models[:gone], *state.models[gone + 1 :]),
        names=(*state.names[:gone], *state.names[gone + 1 :]),
        chosen=tuple(left(state.chosen)),
        refused=tuple(left(state.refused)),
        replies=dict(zip(left(state.replies), replies, strict=True)),
        focus=gone - 1,
    )


def question(state: State) -> Question | None:
    if not state.models:
        return Which()
    if state.stopping:
        places = tuple(place for place in state.replies if _is_under_way(state, place))
        return Stop(state.run, places)
    if not state.running:
        return None
    left = tuple(
        (place, state.models[place], reply)
        for place, reply in state.replies.items()
        if not reply.over
    )
    return Go(state.run, state.asked, TEMPERATURES[state.temperature], left) if left else None


def receive(state: State, question: Question, answer: Answer) -> State:
    match question, answer:
        case Which(), Offers():
            return _offered(state, answer)
        case Stop(), Stopped():
            return replace(state, stopping=False)
        case Go(run=run), Replies(replies=replies) if run == state.run:
            replies = state.replies | replies
            running = state.running and not all(reply.over for reply in replies.values())
            return replace(state, replies=replies, running=running)
        case _:
            return state  # of a run before this one


def _offered(state: State, offers: Offers) -> State:
    """The models here come first, and are chosen. One model that is both is there once."""
    models = [Model(here="loaded")]
    names = [offers.loaded]
    if offers.small not in ("", offers.loaded):
        models.append(Model(here="small"))
        names.append(offers.small)
    chosen = tuple(range(len(models)))
    for offer in offers.services:
        if offer.card.model is not None:
            elsewhere = RemoteModel(offer.card, offer.card.model)
            models.append(Model(None, elsewhere, offer.has_key, offer.card.key_variables[0]))
            names.append(_shown_name(elsewhere))
    return replace(state, models=tuple(models), names=tuple(names), chosen=chosen)


def _shown_name(model: RemoteModel) -> str:
    return f"{model.service.product} {model.name}"


def words_in_common(state: State, one: Reply, other: Reply) -> set[str]:
    """Words of four letters or more that both say, and the prompt does not."""
    said, also, given = (
        set(_WORD.findall(text.casefold())) for text in (one.text, other.text, state.asked)
    )
    return (said & also) - given


@goal("agree", "Get two answers that share a word you didn't use")
def _agree(state: State) -> bool:
    return any(words_in_common(state, *pair) for pair in combinations(state.done, 2))


@goal("disagree", "Get two answers that share no word")
def _disagree(state: State) -> bool:
    pairs = [(one, other) for one, other in combinations(state.done, 2) if one.text and other.text]
    return any(not words_in_common(state, *pair) for pair in pairs)


@goal("cut-off", "Get one answer that ends and one that is cut off")
def _cut_off(state: State) -> bool:
    return {"stop", "length"} <= {reply.reason for reply in state.done}


def _elsewhere(question: Question) -> bool:
    match question:
        case Go(asked=asked):
            return any(model.elsewhere is not None for _, model, _ in asked)
        case Stop():
            return True
    return False


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="compare",
    title="One prompt, several models",
    order=240,
    lesson="landscape",
    task=(
        "Ask several models the same thing, and compare their answers, speed and price. "
        "Two of them are on this machine. You can add others if you have a key or a "
        "server."
    ),
    private=_elsewhere,
    reaches_out=True,
    start=State,
    act=act,
    question=question,
    receive=receive,
    goals=(_agree, _disagree, _cut_off),
    solution=(
        EditText("What is the capital of Kenya?"),
        Ask(),
        EditText("Write one sentence about the sea."),
        Ask(),
        EditText("What is a cat?"),
        Ask(),
    ),
)

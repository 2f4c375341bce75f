"""A lab that sends one prompt to up to four models and shows their answers side by side.

The loaded model and the small bundled model run on this machine. A remote model needs an API key or
a server address. For each answer, the lab shows the time to the first token, the number of tokens,
the speed in tokens per second, and the cost. The cost is based on the price on a given date.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError
from tutor.labs.kit.actions import Adjust, EditText, MoveFocus, Toggle, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.remote import Add, Remove, Sending, lost_model
from tutor.labs.kit.work import work
from tutor.language import _
from tutor.vendors.catalogue import Price, RemoteModel
from tutor.vendors.runs import ErrorReport, Offer
from tutor.vendors.service import Reason

LONGEST = 2_000
"""The maximum length of a prompt in characters."""
MOST_MODELS = 4
MOST_TOKENS = 80
"""The maximum number of tokens in an answer."""
TEMPERATURES = (0.0, 0.7, 1.0)

_WORD = re.compile(r"[^\W\d_]{4,}")

Here = Literal["loaded", "small"]
"""The kinds of local models: the loaded model, and the small bundled model."""


class Model(msgspec.Struct, frozen=True):
    """A model in the list: a local model (`here`) or a remote model (`remote`).

    `key` is False if the model's API key is missing, and `variable` is the environment variable for
    the key. `added` is True if the learner added the model.
    """

    here: Here | None = None
    remote: RemoteModel | None = msgspec.field(default=None, name="elsewhere")
    key: bool = True
    variable: str = ""
    added: bool = False

    @property
    def price(self) -> Price | None:
        return self.remote.price if self.remote else None


class Reply(msgspec.Struct, frozen=True):
    """The reply of one model, which may be incomplete.

    Attributes:
        name: The model's name.
        ids: The generated token ids. Only local models have them.
        pieces: The number of chunks received from a remote model.
        first_after: The time to the first token, in seconds.
        seconds: The computing time of a local model, or the time since the request to a remote
            model.
        prompt_tokens: The prompt's token count, or None if the server doesn't report it.
        answer_tokens: The reply's token count, or None if the server doesn't report it.
        reason: The reason why the reply ended.
        trouble: The error that ended the reply.
    """

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
        """The number of tokens per second, or None if it is unknown.

        The time to the first token is included.
        """
        if not self.answer_tokens or not self.seconds:
            return None
        return self.answer_tokens / self.seconds


def cost(model: Model, reply: Reply) -> float | None:
    """Return the cost in US dollars, or None if the price or a token count is unknown."""
    known = reply.prompt_tokens is not None and reply.answer_tokens is not None
    if model.price is None or not known:
        return None
    return model.price.cost(reply.prompt_tokens or 0, reply.answer_tokens or 0)


class Ask(msgspec.Struct, frozen=True, tag_field="do", tag="ask"):
    """Send the prompt to all chosen models, or stop the current run.

    `without` contains the indexes of the chosen models whose hosts the learner has not consented
    to.
    """

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
"""`Toggle` includes the focused model in the next run, or excludes it. `Adjust` changes the
temperature, wrapping around from the highest to the lowest."""


class Which(msgspec.Struct, frozen=True, tag="which"):
    """A request for the list of available models."""


class Go(msgspec.Struct, frozen=True, tag="go"):
    """A request to extend the incomplete replies for one time slice.

    `asked` has an entry for each model that is still replying: its index, the model, and its reply
    so far. `run` is the number of the run. `reaches_out` is True if the run includes a remote
    model, even if this model has already replied.
    """

    run: int
    prompt: str
    temperature: float
    asked: tuple[tuple[int, Model, Reply], ...]
    reaches_out: bool = False


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """A request to cancel the requests to remote models. `places` contains the models' indexes."""

    run: int
    places: tuple[int, ...]


Question = Which | Go | Stop


class Offers(msgspec.Struct, frozen=True, tag="offers"):
    """The available models: the names of the local models, and the services in the catalogue."""

    loaded: str
    small: str
    services: tuple[Offer, ...]


class Replies(msgspec.Struct, frozen=True, tag="replies"):
    replies: dict[int, Reply]


class Stopped(msgspec.Struct, frozen=True, tag="stopped"):
    pass


Answer = Offers | Replies | Stopped


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        asked: The prompt of the latest run.
        asked_at: The index of the temperature of the latest run.
        models: All models in the list.
        names: The display names of the models.
        chosen: The indexes of the models in the next run.
        focus: The index of the focused model.
        run: The number of the latest run.
        stopping: True while requests to remote models are being canceled.
        replies: The replies in the latest run, by model index.
        refused: The indexes of the models whose hosts the learner has not consented to.
    """

    prompt: str = "Say hello."
    asked: str = ""
    asked_at: int = 0
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
        """True if the learner added the focused model and no run is in progress."""
        asking = self.running or self.stopping
        return bool(self.models) and self.models[self.focus].added and not asking

    @property
    def outdated(self) -> bool:
        """True if the prompt or the temperature has changed since the latest run."""
        now = (self.prompt, self.temperature)
        return bool(self.replies) and (self.asked, self.asked_at) != now

    @property
    def done(self) -> list[Reply]:
        """The replies that are complete and have no error, in the order of the models' indexes."""
        return [reply for reply in self.replies.values() if reply.reason is not None]


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text):
            return replace(_halted(state), prompt=_prompt(text))
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


def _prompt(text: str) -> str:
    if not text.strip():
        raise LabError("The prompt is empty.", "Write a question or an instruction.")
    return text[:LONGEST]


def _asked(state: State, without: tuple[int, ...]) -> State:
    places = [place for place in state.chosen if place not in without]
    if not places:
        return replace(state, refused=without)
    return replace(
        state,
        asked=state.prompt,
        asked_at=state.temperature,
        run=state.run + 1,
        running=True,
        stopping=False,
        replies={place: Reply() for place in sorted(places)},
        refused=without,
    )


def _halted(state: State) -> State:
    """Return the state after stopping the run. The replies so far are kept."""
    pending = state.running and any(_is_under_way(state, place) for place in state.replies)
    return replace(state, running=False, stopping=pending or state.stopping)


def _is_under_way(state: State, place: int) -> bool:
    return state.models[place].remote is not None and not state.replies[place].over


def _toggled(state: State) -> State:
    if not state.models:
        return state
    model = state.models[state.focus]
    if state.focus in state.chosen:
        chosen = tuple(place for place in state.chosen if place != state.focus)
    elif not model.key:
        raise LabError(
            _("There is no API key for {names}.").format(names=state.names[state.focus]),
            _("Set {variable} in your environment and restart tutor.").format(
                variable=model.variable
            ),
        )
    elif len(state.chosen) >= MOST_MODELS:
        raise LabError("You can compare up to four models.", "Exclude one of the four first.")
    else:
        chosen = (*state.chosen, state.focus)
    return replace(state, chosen=tuple(sorted(chosen)))


def _added(state: State, remote: RemoteModel) -> State:
    """Return the state with the model appended to the list.

    The model is also chosen for the next run, unless the maximum number of models is already
    chosen.
    """
    place = len(state.models)
    chosen = (*state.chosen, place) if len(state.chosen) < MOST_MODELS else state.chosen
    return replace(
        state,
        models=(*state.models, Model(remote=remote, added=True)),
        names=(*state.names, _shown_name(remote)),
        chosen=chosen,
        focus=place,
    )


def _removed(state: State) -> State:
    """Return the state without the focused model.

    The models after it, and their replies, move up by one index.
    """
    if not state.removable:
        raise LabError(
            "This model can't be removed.",
            "You can remove only models that you added, and only when nothing is running.",
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


def lost(before: State, after: State) -> str:
    """Return a sentence about the model that an action has removed, or "" if there is none."""
    if not before.removable or len(after.models) >= len(before.models):
        return ""
    return lost_model(before.models[before.focus].remote, None)


def sends(state: State, action: Action) -> list[Sending]:
    """Return what an action sends to remote models. Only an action that starts a run sends text."""
    if not isinstance(action, Ask) or state.running:
        return []
    what = _("Your prompt, as one message, each time you run it")
    chosen = (state.models[place].remote for place in state.chosen)
    return [Sending(model, what) for model in chosen if model is not None]


def declined(state: State, action: Action, refused: Sequence[RemoteModel]) -> Ask:
    """Return the action that starts the run without the models that the learner has refused."""
    return Ask(tuple(place for place in state.chosen if state.models[place].remote in refused))


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
    if not left:
        return None
    remote = any(state.models[place].remote is not None for place in state.replies)
    return Go(state.run, state.asked, TEMPERATURES[state.asked_at], left, remote)


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
            return state  # Ignore a response that belongs to an earlier run.


def _offered(state: State, offers: Offers) -> State:
    """Return the state with the list of models.

    The local models come first and are chosen for the first run. If the loaded model is the small
    bundled model, it is listed once.
    """
    models = [Model(here="loaded")]
    names = [offers.loaded]
    if offers.small not in ("", offers.loaded):
        models.append(Model(here="small"))
        names.append(offers.small)
    chosen = tuple(range(len(models)))
    for offer in offers.services:
        if offer.card.model is not None:
            remote = RemoteModel(offer.card, offer.card.model)
            models.append(Model(None, remote, offer.has_key, offer.card.key_variables[0]))
            names.append(_shown_name(remote))
    return replace(state, models=tuple(models), names=tuple(names), chosen=chosen)


def _shown_name(model: RemoteModel) -> str:
    return f"{model.service.product} {model.name}"


def words_in_common(state: State, one: Reply, other: Reply) -> set[str]:
    """Return the words of four letters or more that occur in both replies but not in the prompt."""
    said, also, given = (
        set(_WORD.findall(text.casefold())) for text in (one.text, other.text, state.asked)
    )
    return (said & also) - given


@goal("agree", "Get two answers that share a word that isn't in your prompt")
def _agree(state: State) -> bool:
    return any(words_in_common(state, *pair) for pair in combinations(state.done, 2))


@goal("disagree", "Get two answers that share no words except those in your prompt")
def _disagree(state: State) -> bool:
    pairs = [(one, other) for one, other in combinations(state.done, 2) if one.text and other.text]
    return any(not words_in_common(state, *pair) for pair in pairs)


@goal("cut-off", "Get one complete answer and one that is cut off at the limit")
def _cut_off(state: State) -> bool:
    return {"stop", "length"} <= {reply.reason for reply in state.done}


def _is_remote(question: Question) -> bool:
    """Return True if a request must not be sent to a shared engine.

    The result is the same for all requests of a run, so each answer is generated by one engine. If
    the engine changed, the new one would process the beginning of an answer in a single pass. The
    rounding errors would differ and could change the rest of the answer. The new engine might also
    have loaded another model.
    """
    match question:
        case Go(asked=asked, reaches_out=reaches_out):
            return reaches_out or any(model.remote is not None for _, model, _ in asked)
        case Stop():
            return True
    return False


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="compare",
    title="One prompt, several models",
    about="Send one prompt to several models and compare the answers",
    order=240,
    lesson="landscape",
    task=(
        "Send the same prompt to several models, and compare their answers, speed and price. Two "
        "of the models run on this machine. You can add remote models if you have an API key or a "
        "server."
    ),
    private=_is_remote,
    reaches_out=True,
    sends=sends,
    declined=declined,
    start=State,
    act=act,
    question=question,
    receive=receive,
    lost=lost,
    work=work(prompt=_prompt, temperature=len(TEMPERATURES)),
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

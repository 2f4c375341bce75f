"""What the screen and the engine say to each other.

Messages are MessagePack-encoded structs, each behind its length in four bytes (big-endian), over
a pipe or socket. Every request carries an `id` and gets exactly one answer with that `id`: the
one named in its docstring, or `Failed`. The engine works on one request at a time, in order;
`Cancel` is looked at while it works. A session is one path of tokens with its key-value cache,
named by the client. `Loading` and `Ready` come unasked.

Whoever waits may ask with `Ping`, at any time, whether the engine still lives: `Pong` comes at
once, from a thread of its own, also while the model is being loaded or works.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from tutor.errors import EngineError, TutorError, kind_named
from tutor.lm.distribution import (
    ChatMessage,
    Distribution,
    ModelCard,
    Row,
    SamplerSettings,
    Token,
    XRay,
)

MAXIMUM_FRAME = 64 * 1024 * 1024


class Message(msgspec.Struct, frozen=True, tag=True, array_like=True):
    pass


class Request(Message, frozen=True):
    id: int


class PathRequest(Request, frozen=True):
    """Open, move or close the session of this name."""

    session: str


class SessionQuestion(Request, frozen=True):
    """Ask something of the session of this name, which stays as it is."""

    session: str


# --- requests -----------------------------------------------------------------------------------


class OpenText(PathRequest, frozen=True):
    """Start a session on raw text. Answer: `Opened`."""

    text: str


class OpenChat(PathRequest, frozen=True):
    """Start a session on a conversation, rendered with the model's chat template, up to where
    the assistant is to speak. Answer: `Opened`."""

    messages: tuple[ChatMessage, ...]


class OpenTokens(PathRequest, frozen=True):
    """Start a session on exactly these token ids, or put one that exists on this path: what is
    computed for their common beginning is kept. Answer: `Opened`.

    `data` are the tokens' bytes, sent where the model is elsewhere: the engine knows such tokens by
    them alone, and may have been started anew.
    """

    ids: tuple[int, ...]
    data: tuple[bytes, ...] = ()


class Append(PathRequest, frozen=True):
    """Add tokens at the end of a session; `data` as in `OpenTokens`. Answer: `Length`."""

    ids: tuple[int, ...]
    data: tuple[bytes, ...] = ()


class AppendTurn(PathRequest, frozen=True):
    """Close the assistant's turn, add the user's next message and open the assistant's turn
    again, as the chat template does. Answer: `Opened` with the added tokens only."""

    text: str


class GoBack(PathRequest, frozen=True):
    """Shorten a session to `length` tokens; costs nothing. Answer: `Length`."""

    length: int


class Fork(PathRequest, frozen=True):
    """Start session `new_session` as a copy of the first `length` tokens of `session`, with what
    is already computed for them. Answer: `Length`."""

    new_session: str
    length: int


class Close(PathRequest, frozen=True):
    """Forget a session or a lab backend. Answer: `Length` (0)."""


class AskDistribution(SessionQuestion, frozen=True):
    """The distribution after the first `position` tokens. Answer: `DistributionAnswer`.

    `top` is how many rows are wanted; chance in the draw depends on `seed` and `position` alone.
    """

    position: int
    sampler: SamplerSettings
    seed: int
    top: int


class AskRows(SessionQuestion, frozen=True):
    """The rows of given tokens in the distribution after `position` tokens. Answer: `Rows`."""

    position: int
    sampler: SamplerSettings
    ids: tuple[int, ...]


class FindTokens(SessionQuestion, frozen=True):
    """Tokens of the whole vocabulary whose text contains `query`, most probable first; an exact
    match (with or without its leading space) comes before all others. Answer: `Rows`."""

    position: int
    sampler: SamplerSettings
    query: str
    limit: int


class AskSurprisals(SessionQuestion, frozen=True):
    """How surprising tokens `start` to the end were. Answer: `Surprisals`."""

    start: int = 0


class AskXRay(SessionQuestion, frozen=True):
    """Logit lens of the token at `position`, and the attention of `layer` (from 0; beyond the
    last: the last) with as many of its neighbors as one answer holds. Answer: `XRayAnswer`."""

    position: int
    layer: int


class Tokenize(Request, frozen=True):
    """The tokens of a text, outside any session. Answer: `Tokens`."""

    text: str


class AskLab(Request, frozen=True):
    """A question of the lab `lab`, put to the backend named `bench`, which is made if there is
    none. `question` and what is answered are MessagePack of the types that `tutor.labs` has for
    that lab. Answer: `LabAnswer`."""

    bench: str
    lab: str
    question: bytes


class Cancel(Message, frozen=True):
    """Stop working on request `target`: it answers `Failed` with kind `RequestCancelled`, unless
    it has been answered already. Has no answer of its own."""

    target: int


class Allow(Message, frozen=True):
    """The learner agrees that texts are sent to `host`; `key` is that of the service there, or
    empty. Has no answer. The engine inherits no keys: this is the only way that one comes to it."""

    host: str
    key: str

    def __repr__(self) -> str:
        return f"Allow({self.host!r}, ***)"


class Hello(Message, frozen=True):
    """The first message to an engine that serves many: the version of the program that asks, and
    which learner of the account it is. Where the version is another than the engine's, the answer
    is `Failed` with id 0 and kind `OtherVersion`."""

    version: str
    learner: str


class AskEngineLoad(Message, frozen=True, tag="AskStanding"):
    """Ask, in place of `Hello`, how busy an engine that serves many is. Answer: `EngineLoad`, and
    the connection ends. The tags of both are those of earlier versions, because no `Hello` has
    compared versions here."""


class Ping(Message, frozen=True):
    """Are you there? Answer: `Pong`, before anything that is still to be worked on."""


# --- answers ------------------------------------------------------------------------------------


class Answer(Message, frozen=True):
    id: int


Value = TypeVar("Value")


class QuestionAnswer(Answer, Generic[Value], frozen=True):
    """The answer to a `SessionQuestion`."""

    value: Value


class Opened(Answer, frozen=True):
    tokens: tuple[Token, ...]


class Tokens(Answer, frozen=True):
    tokens: tuple[Token, ...]


class Length(Answer, frozen=True):
    length: int


class DistributionAnswer(QuestionAnswer[Distribution], frozen=True):
    pass


class Rows(QuestionAnswer[tuple[Row, ...]], frozen=True):
    pass


class Surprisals(QuestionAnswer[tuple[float | None, ...]], frozen=True):
    """Bits for each token from the `start` asked for; None for the first token of a text, before
    which the model has nothing to go by."""


class XRayAnswer(QuestionAnswer[XRay], frozen=True):
    pass


class LabAnswer(Answer, frozen=True):
    answer: bytes


class Failed(Answer, frozen=True):
    """A `TutorError`, by its class name and its two sentences. `id` is 0 when the failure is not
    about one request (the model could not be loaded)."""

    kind: str
    happened: str
    next_step: str

    @classmethod
    def of(cls, error: TutorError, id_: int = 0) -> Failed:
        return cls(id_, type(error).__name__, error.happened, error.next_step)

    @property
    def error(self) -> TutorError:
        """Return the error again; one of a kind unknown here becomes an `EngineError`."""
        return kind_named(self.kind, EngineError)(self.happened, self.next_step)


# --- unasked ------------------------------------------------------------------------------------


class Loading(Message, frozen=True):
    """The model is being loaded; `stage` is a few words for the status line, `done` and `total`
    say how far it is (see `tutor.models.report.OnStage`)."""

    stage: str
    done: int = 0
    total: int = 0


class Ready(Message, frozen=True):
    """Requests are answered from now on. `model` is None in an engine for labs alone, which loads
    one only for a lab that needs it."""

    model: ModelCard | None


class Pong(Message, frozen=True):
    pass


class EngineLoad(Message, frozen=True, tag="Standing"):
    """How busy an engine that serves many is. Nobody's text is in it. `model` is None while it is
    loaded; `waiting` are requests that nobody works on yet, `cached` bytes of key-value caches,
    `steps` tokens read since the start and `together` how many of them in a pass with others;
    `busy` seconds of work in `up` seconds."""

    version: str
    model: str | None
    learners: int
    accounts: int
    sessions: int
    waiting: int
    trainings: int
    cached: int
    steps: int
    together: int
    busy: float
    up: float


AnyRequest = PathRequest | SessionQuestion | Tokenize | AskLab
ToEngine = AnyRequest | Cancel | Allow | Hello | AskEngineLoad | Ping
FromEngine = Answer | Loading | Ready | Pong | EngineLoad


def kinds(message: type[Message]) -> tuple[type[Message], ...]:
    """Return the classes of messages below this one, those that only group others left out."""
    below = message.__subclasses__()
    return tuple(kind for each in below for kind in kinds(each)) if below else (message,)

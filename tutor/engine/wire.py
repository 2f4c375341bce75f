"""The messages between the screens and the engine.

Messages are MessagePack-encoded structs, each after its length in four bytes (big-endian), over a
pipe or socket. Every request has an `id` and gets exactly one answer with that `id`: the one named
in its docstring, or `Failed`. The engine works on one request at a time, in order, and notices
`Cancel` while it works. A session is one path of tokens with its key-value cache, named by the
client. `Loading` and `Ready` are sent unasked.

A client may send `Ping` at any time to learn whether the engine is alive. `Pong` comes at once,
from a separate thread, even while the model is loading or at work.
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
    """Query the session with this name, without changing it."""

    session: str


# --- requests -----------------------------------------------------------------------------------


class OpenText(PathRequest, frozen=True):
    """Start a session on raw text. Answer: `Opened`."""

    text: str


class OpenChat(PathRequest, frozen=True):
    """Start a session on a conversation. Answer: `Opened`.

    It is rendered with the model's chat template, up to where the assistant's answer begins.
    """

    messages: tuple[ChatMessage, ...]


class OpenTokens(PathRequest, frozen=True):
    """Start a session on exactly these token ids, or move an existing one. Answer: `Opened`.

    The cache of the common beginning is kept. `data` holds the tokens' bytes and is sent if the
    model is remote: the engine knows such tokens only by their bytes, and may have restarted.
    """

    ids: tuple[int, ...]
    data: tuple[bytes, ...] = ()


class Append(PathRequest, frozen=True):
    """Append tokens to a session; `data` has the same format as in `OpenTokens`.

    The reply is `Length`.
    """

    ids: tuple[int, ...]
    data: tuple[bytes, ...] = ()


class AppendTurn(PathRequest, frozen=True):
    """Close the assistant's turn and add the user's next message. Answer: `Opened`.

    The assistant's next turn is opened, as the chat template does. The answer contains only the
    tokens added.
    """

    text: str


class GoBack(PathRequest, frozen=True):
    """Shorten a session to `length` tokens, which takes no time. Answer: `Length`."""

    length: int


class Fork(PathRequest, frozen=True):
    """Start session `new_session` on the first `length` tokens of `session`. Answer: `Length`.

    The new session keeps what is already computed for them.
    """

    new_session: str
    length: int


class Close(PathRequest, frozen=True):
    """Forget a session or a lab backend. Answer: `Length` (0)."""


class AskDistribution(SessionQuestion, frozen=True):
    """Ask for the distribution after the first `position` tokens. Answer: `DistributionAnswer`.

    `top` is the number of rows wanted. The random draw depends only on `seed` and `position`.
    """

    position: int
    sampler: SamplerSettings
    seed: int
    top: int


class AskRows(SessionQuestion, frozen=True):
    """Ask for the rows of these tokens after the first `position` tokens. Answer: `Rows`."""

    position: int
    sampler: SamplerSettings
    ids: tuple[int, ...]


class FindTokens(SessionQuestion, frozen=True):
    """Search the vocabulary for tokens whose text contains `query`. Answer: `Rows`.

    The most probable come first, but an exact match, with or without a leading space, comes before
    all others.
    """

    position: int
    sampler: SamplerSettings
    query: str
    limit: int


class AskSurprisals(SessionQuestion, frozen=True):
    """Ask for the surprisal of each token from `start` to the end. Answer: `Surprisals`."""

    start: int = 0


class AskXRay(SessionQuestion, frozen=True):
    """Ask for the logit lens at `position` and the attention of `layer`. Answer: `XRayAnswer`.

    Layers are counted from 0, and a number beyond the last layer means the last. The answer
    contains as many neighboring layers as fit.
    """

    position: int
    layer: int


class Tokenize(Request, frozen=True):
    """Request the tokens of some text, outside any session.

    The reply is `Tokens`.
    """

    text: str


class AskLab(Request, frozen=True):
    """Ask the backend named `bench`, of the lab `lab`, a question. Answer: `LabAnswer`.

    The backend is created if there is none of that name. Question and answer are MessagePack of the
    types that the lab declares.
    """

    bench: str
    lab: str
    question: bytes


class Cancel(Message, frozen=True):
    """Stop working on request `target`. Has no answer of its own.

    The request answers `Failed` with kind `RequestCancelled`, unless it is answered already.
    """

    target: int


class Allow(Message, frozen=True):
    """Report the learner's consent to send text to `host`. Has no answer.

    `key` is the key for that service, or empty. The engine inherits no keys: it gets one only by
    this message.
    """

    host: str
    key: str

    def __repr__(self) -> str:
        return f"Allow({self.host!r}, ***)"


class Hello(Message, frozen=True):
    """Greet a shared engine; always the first message.

    It states the version of the program that connects, and which learner of the account it is for.
    If the engine's version differs, the answer is `Failed` with id 0 and kind `OtherVersion`.
    """

    version: str
    learner: str


class AskEngineLoad(Message, frozen=True, tag="AskStanding"):
    """Ask, instead of `Hello`, how busy a shared engine is. Answer: `EngineLoad`.

    The connection ends after that. Both tags are the ones of earlier versions, because without
    `Hello` no versions are compared.
    """


class Ping(Message, frozen=True):
    """Ask for a sign of life. Answer: `Pong`, ahead of all pending requests."""


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
    """The surprisal of each token from the `start` asked for, in bits.

    It is None for the first token of a text, which the model cannot predict.
    """


class XRayAnswer(QuestionAnswer[XRay], frozen=True):
    pass


class LabAnswer(Answer, frozen=True):
    answer: bytes


class Failed(Answer, frozen=True):
    """A `TutorError`, by its class name and its two sentences.

    `id` is 0 if the failure does not concern one request, such as a model that cannot be loaded.
    """

    kind: str
    happened: str
    next_step: str

    @classmethod
    def of(cls, error: TutorError, id_: int = 0) -> Failed:
        return cls(id_, type(error).__name__, error.happened, error.next_step)

    @property
    def error(self) -> TutorError:
        """The error; an `EngineError` if this version does not know its kind."""
        return kind_named(self.kind, EngineError)(self.happened, self.next_step)


# --- unasked ------------------------------------------------------------------------------------


class Loading(Message, frozen=True):
    """Progress while the model is loading.

    `stage` is a few words for the status line; `done` and `total` are explained in
    `tutor.models.report.OnStage`.
    """

    stage: str
    done: int = 0
    total: int = 0


class Ready(Message, frozen=True):
    """The engine answers requests from now on.

    `model` is None in an engine for labs only, which loads one only for a lab that needs it.
    """

    model: ModelCard | None


class Pong(Message, frozen=True):
    pass


class EngineLoad(Message, frozen=True, tag="Standing"):
    """The load of a shared engine; it contains no learner's text.

    `model` is None while the model is loading. `waiting` counts requests that have not begun,
    `cached` bytes of key-value caches, `steps` tokens processed since the start, and `together`
    those of them processed in a batch. `busy` is seconds of work within `up` seconds.
    """

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
    """Return the concrete message classes below this one; the abstract ones are left out."""
    below = message.__subclasses__()
    return tuple(kind for each in below for kind in kinds(each)) if below else (message,)

"""The messages between the app and the engine.

Messages are MessagePack-encoded structs, each preceded by its length in four bytes (big-endian),
and are sent over a pipe or a socket. Every request has an `id` and gets exactly one response with
the same `id`: the message named in the request's docstring, or `Failed`. The engine handles one
request at a time, in order. While it works on a request, it checks regularly whether a `Cancel` has
arrived. A session is a token sequence with its key-value cache, under a name that the client
chooses. `Loading` and `Ready` are sent without a request.

A client can send `Ping` at any time to check that the engine is alive. A separate thread responds
with `Pong` immediately, even while the model is loading or busy.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from tutor.errors import EngineError, TutorError, kind_named
from tutor.lm.attribution import Attribution, Occlusion
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
    """The base class of requests that open, change or close a session."""

    session: str
    """The session's name."""


class SessionQuestion(Request, frozen=True):
    """The base class of requests that query a session without changing it."""

    session: str
    """The session's name."""


# --- requests -----------------------------------------------------------------------------------


class OpenText(PathRequest, frozen=True):
    """Start a session with a text, without a chat template. Response: `Opened`."""

    text: str


class OpenChat(PathRequest, frozen=True):
    """Start a session with a conversation. Response: `Opened`.

    The conversation is rendered with the model's chat template, up to the start of the assistant's
    next answer.
    """

    messages: tuple[ChatMessage, ...]


class OpenTokens(PathRequest, frozen=True):
    """Create a session with these tokens. Response: `Opened`.

    If the session exists, its tokens are replaced, and the cache of the common prefix is kept. For
    a remote model, `data` contains the bytes of each token, because an engine that has restarted
    does not know the tokens of a remote model.
    """

    ids: tuple[int, ...]
    data: tuple[bytes, ...] = ()


class Append(PathRequest, frozen=True):
    """Append tokens to a session. Response: `Length`.

    For a remote model, `data` contains the bytes of each token.
    """

    ids: tuple[int, ...]
    data: tuple[bytes, ...] = ()


class AppendTurn(PathRequest, frozen=True):
    """Append the user's next chat message to a session. Response: `Opened`.

    The engine uses the chat template to append everything that is needed: the end of the
    assistant's last answer, the message, and the start of the next answer. The response contains
    only the added tokens.
    """

    text: str


class GoBack(PathRequest, frozen=True):
    """Truncate a session to `length` tokens, which is instant. Response: `Length`."""

    length: int


class Fork(PathRequest, frozen=True):
    """Start session `new_session` with the first `length` tokens of `session`. Response: `Length`.

    The new session also gets a copy of the key-value cache for these tokens.
    """

    new_session: str
    length: int


class Steer(PathRequest, frozen=True):
    """Steer the network for a session, or stop steering it. Response: `Length`.

    `values` is a vector of little-endian 32-bit floats. It is added after block `layer` (counted
    from 0), multiplied by `strength`. Without `values`, the network is no longer steered. A change
    discards the session's computed results.
    """

    values: bytes = b""
    layer: int = 0
    strength: float = 0.0


class Close(PathRequest, frozen=True):
    """Close a session or a lab backend. Response: `Length`, with length 0."""


class AskDistribution(SessionQuestion, frozen=True):
    """Request the distribution after `position` tokens. Response: `DistributionAnswer`.

    `top` is the number of tokens to return, most probable ones first. The random draw depends only
    on `seed` and `position`.
    """

    position: int
    sampler: SamplerSettings
    seed: int
    top: int


class AskRows(SessionQuestion, frozen=True):
    """Request the probabilities of these tokens after `position` tokens. Response: `Rows`."""

    position: int
    sampler: SamplerSettings
    ids: tuple[int, ...]


class FindTokens(SessionQuestion, frozen=True):
    """Search the vocabulary for tokens whose text contains `query`. Response: `Rows`.

    The tokens are sorted by probability, but exact matches come first, with or without a leading
    space.
    """

    position: int
    sampler: SamplerSettings
    query: str
    limit: int


class AskSurprisals(SessionQuestion, frozen=True):
    """Request the surprisal of each token from index `start` to the end. Response: `Surprisals`."""

    start: int = 0


class AskXRay(SessionQuestion, frozen=True):
    """Request the logit lens at `position` and the attention of `layer`. Response: `XRayAnswer`.

    Layers are counted from 0, and a number beyond the last layer selects the last layer. If
    `neighbors` is true, the response also includes the attention of as many neighboring layers as
    fit into it. Older engines always include these layers.
    """

    position: int
    layer: int
    neighbors: bool = True


class AskAttribution(SessionQuestion, frozen=True):
    """Request the contributions of the network's parts to a logit. Response: `AttributionAnswer`.

    The logit is predicted at `position`. It is the logit of `target`, or of the most probable next
    token if `target` is None. If `against` is given, the logit of `against` is subtracted.
    """

    position: int
    target: int | None = None
    against: int | None = None


class AskSources(SessionQuestion, frozen=True):
    """Request how much each token contributes to a logit through a head. Response: `Sources`.

    Layers and heads are counted from 0. If `head` is None, the amounts are summed over all heads of
    the layer. The logit is defined as in `AskAttribution`.
    """

    position: int
    layer: int
    head: int | None
    target: int | None = None
    against: int | None = None


class AskOcclusion(SessionQuestion, frozen=True):
    """Request how much removing each of some tokens changes a logit. Response: `Occlusions`.

    The tokens at `indexes` are removed one at a time, at most `MOST_REMOVED` in one request (see
    `tutor.lm.attribution`). The logit is defined as in `AskAttribution`.
    """

    position: int
    indexes: tuple[int, ...]
    target: int | None = None
    against: int | None = None


class Tokenize(Request, frozen=True):
    """Request the tokens of a text without opening a session. Response: `Tokens`."""

    text: str


class AskLab(Request, frozen=True):
    """Send a request to a backend of `lab`. Response: `LabAnswer`.

    `bench` is the name of the backend, which is created if it doesn't exist. `question` is the
    request. The request and the backend's response are MessagePack-encoded values of the types that
    the lab declares.
    """

    bench: str
    lab: str
    question: bytes


class Cancel(Message, frozen=True):
    """Cancel the request with id `target`.

    The canceled request gets the response `Failed` with kind `RequestCancelled`, unless it is
    already done. There is no other response.
    """

    target: int


class Allow(Message, frozen=True):
    """Tell the engine that the learner has agreed to send text to `host`.

    This message has no response. `key` is the API key for this host, or empty. The engine does not
    inherit API keys from its parent process and receives them only through this message.
    """

    host: str
    key: str

    def __repr__(self) -> str:
        return f"Allow({self.host!r}, ***)"


class Hello(Message, frozen=True):
    """The greeting to a shared engine, which is the first message of a connection.

    It contains the version of the connecting program and the learner's name within their user
    account. An engine with a different version responds with `Failed`, with id 0 and kind
    `OtherVersion`.
    """

    version: str
    learner: str


class AskEngineLoad(Message, frozen=True, tag="AskStanding"):
    """Request a shared engine's load report. Response: `EngineLoad`.

    This message is sent instead of a greeting, and the engine closes the connection after its
    response. The tags of `Hello` and `AskEngineLoad` must never change, because the sender's
    version can differ from the engine's.
    """


class Ping(Message, frozen=True):
    """Ask whether the engine is alive. Response: `Pong`, sent before all other responses."""


# --- responses ----------------------------------------------------------------------------------


class Answer(Message, frozen=True):
    id: int


Value = TypeVar("Value")


class QuestionAnswer(Answer, Generic[Value], frozen=True):
    """The base class of responses to a `SessionQuestion`."""

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
    """The surprisal in bits of each token from index `start` to the end.

    The value is None for the first token of a text, because the model has no context to predict it.
    """


class XRayAnswer(QuestionAnswer[XRay], frozen=True):
    pass


class AttributionAnswer(QuestionAnswer[Attribution], frozen=True):
    pass


class Sources(QuestionAnswer[tuple[float, ...]], frozen=True):
    """The amount that each token up to `position` contributes to a logit through a head."""


class Occlusions(QuestionAnswer[tuple[Occlusion, ...]], frozen=True):
    """The effects of removing each of the requested tokens, in the order of the request."""


class LabAnswer(Answer, frozen=True):
    answer: bytes


class Failed(Answer, frozen=True):
    """A response that contains a `TutorError`: its class name, what happened, and what to do.

    `id` is 0 if the error does not concern a single request, for example if the model cannot be
    loaded.
    """

    kind: str
    happened: str
    next_step: str

    @classmethod
    def of(cls, error: TutorError, id_: int = 0) -> Failed:
        return cls(id_, type(error).__name__, error.happened, error.next_step)

    @property
    def error(self) -> TutorError:
        """The error that this message describes.

        An error of an unknown class becomes an `EngineError`.
        """
        return kind_named(self.kind, EngineError)(self.happened, self.next_step)


# --- sent without a request ---------------------------------------------------------------------


class Loading(Message, frozen=True):
    """A progress report while the model is loading.

    `stage` describes the current stage in a few words. For `done` and `total`, see
    `tutor.models.report.OnStage`.
    """

    stage: str
    done: int = 0
    total: int = 0


class Ready(Message, frozen=True):
    """The engine is ready for requests.

    `model` is None in an engine that serves only labs, because it loads a model only on demand.
    """

    model: ModelCard | None


class Pong(Message, frozen=True):
    pass


class EngineLoad(Message, frozen=True, tag="Standing"):
    """The load report of a shared engine, which contains no text from learners.

    `model` is None while the model is loading. `waiting` is the number of pending requests,
    `cached` the total size of the key-value caches in bytes, `steps` the number of distributions
    requested since the start, and `together` the number of them that were computed in batches.
    `busy` is the number of seconds spent working in the last `up` seconds.
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
    """Return the direct and indirect subclasses of `message` that have no subclasses themselves.

    If `message` has no subclasses, return `message` itself.
    """
    below = message.__subclasses__()
    return tuple(kind for each in below for kind in kinds(each)) if below else (message,)

"""The interfaces of the engine and its sessions.

A session is a token sequence together with the model's predictions at each position. In the engine
process, a session is a `ModelSession`: `tutor.lm.session` implements it for local models and
`tutor.vendors.session` for remote ones. The screens use an `AsyncModelSession`, which
`tutor.engine.proxy` implements by sending the messages listed in `tutor.engine.questions`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, Self

from tutor.errors import TutorError
from tutor.labs.kit.registry import AnyLab
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
from tutor.lm.saved_steering import Applied
from tutor.vendors.catalogue import RemoteModel


class EngineState(enum.Enum):
    STARTING = "starting"
    LOADING = "loading"
    READY = "ready"
    STOPPED = "stopped"


EngineKind = Literal["own", "shared"]
""""own" is the learner's own engine, and "shared" is one engine for all learners on the machine."""


class ModelSession(Protocol):
    """A session on the engine's side: a token sequence in the process that runs the model.

    A method that fails raises a `TutorError` and leaves the session unchanged.
    """

    def __len__(self) -> int: ...

    @property
    def tokens(self) -> tuple[Token, ...]: ...

    def append(self, ids: Sequence[int]) -> None:
        """Append tokens."""
        ...

    def go_back(self, length: int) -> None:
        """Truncate the session to its first `length` tokens."""
        ...

    def fork(self, length: int) -> Self:
        """Return a new session with the first `length` tokens and their key-value cache."""
        ...

    def distribution(
        self, position: int, sampler: SamplerSettings, seed: int, top: int
    ) -> Distribution:
        """Return the distribution after `position` tokens, with the `top` most probable tokens."""
        ...

    def rows(
        self, position: int, sampler: SamplerSettings, ids: tuple[int, ...]
    ) -> tuple[Row, ...]:
        """Return the rank and probability of each of these tokens after `position` tokens."""
        ...

    def find(
        self, position: int, sampler: SamplerSettings, query: str, limit: int
    ) -> tuple[Row, ...]:
        """Find up to `limit` tokens whose text contains `query`, with their probabilities.

        Exact matches come first, followed by the most probable tokens. Raises `TextError` if no
        token matches.
        """
        ...

    def surprisals(self, start: int = 0) -> tuple[float | None, ...]:
        """Return the surprisal in bits of each token from index `start` to the end.

        The value is None for the first token of a text, because the model has no context to predict
        it.
        """
        ...

    def xray(self, position: int, layer: int, neighbors: bool = True) -> XRay:
        """Return the logit lens at `position` and the attention maps of `layer`.

        Positions and layers are counted from 0. With `neighbors`, the result also includes the
        attention maps of as many neighboring layers as fit into one response.
        """
        ...

    def attribution(
        self, position: int, target: int | None = None, against: int | None = None
    ) -> Attribution:
        """Split a logit predicted at `position` into the contributions of the network's parts.

        Positions are counted from 0. The logit is the logit of `target`, or of the most probable
        next token if `target` is None. If `against` is given, the logit of `against` is subtracted.
        """
        ...

    def sources(
        self,
        position: int,
        layer: int,
        head: int | None,
        target: int | None = None,
        against: int | None = None,
    ) -> tuple[float, ...]:
        """Split a head's contribution to a logit by the tokens that the head attends to.

        The result has a number for each token up to `position`. If `head` is None, the numbers are
        summed over all heads of the layer. The logit is the one that `attribution` explains (see
        its docstring). Except for rounding, the numbers add up to the head's contribution to it.
        """
        ...

    def occlusion(
        self,
        position: int,
        indexes: tuple[int, ...],
        target: int | None = None,
        against: int | None = None,
    ) -> tuple[Occlusion, ...]:
        """Remove these tokens one at a time, and return how much each removal changes a logit.

        The logit is the one that `attribution` explains (see its docstring). Each removal needs a
        forward pass over the tokens after the removed token, so a request should remove only a
        few tokens. The token at `position` can't be removed.
        """
        ...


class AsyncModelSession(Protocol):
    """The asynchronous version of `ModelSession` that the screens use.

    Changes to `tokens` take effect immediately in this object and are sent to the engine with the
    next query. Canceling a query cancels the work in the engine.
    """

    @property
    def tokens(self) -> tuple[Token, ...]: ...

    def append(self, tokens: Sequence[Token]) -> None:
        """Append tokens. If they exceed the context window, the next query fails."""
        ...

    def go_back(self, length: int) -> None:
        """Truncate the session to its first `length` tokens."""
        ...

    def go_to(self, path: Sequence[Token]) -> None:
        """Replace the tokens with `path`.

        The engine keeps the cached results for the common prefix of both.
        """
        ...

    def steer(self, applied: Applied | None) -> None:
        """Steer the network in all further queries, or stop steering it if `applied` is None.

        A remote model can't be steered; the next query then fails.
        """
        ...

    async def append_turn(self, text: str) -> tuple[Token, ...]:
        """Append the user's next chat message, and return the tokens that were added.

        The chat template determines the special tokens around the message.
        """
        ...

    async def fork(self, length: int) -> AsyncModelSession: ...

    async def close(self) -> None:
        """Close this session in the engine."""
        ...

    async def distribution(
        self, position: int, sampler: SamplerSettings, seed: int, top: int
    ) -> Distribution: ...

    async def rows(
        self, position: int, sampler: SamplerSettings, ids: tuple[int, ...]
    ) -> tuple[Row, ...]: ...

    async def find(
        self, position: int, sampler: SamplerSettings, query: str, limit: int
    ) -> tuple[Row, ...]: ...

    async def surprisals(self, start: int = 0) -> tuple[float | None, ...]: ...

    async def xray(self, position: int, layer: int, neighbors: bool = True) -> XRay: ...

    async def attribution(
        self, position: int, target: int | None = None, against: int | None = None
    ) -> Attribution: ...

    async def sources(
        self,
        position: int,
        layer: int,
        head: int | None,
        target: int | None = None,
        against: int | None = None,
    ) -> tuple[float, ...]: ...

    async def occlusion(
        self,
        position: int,
        indexes: tuple[int, ...],
        target: int | None = None,
        against: int | None = None,
    ) -> tuple[Occlusion, ...]: ...


class LabBackend(Protocol):
    """The interface through which a screen uses the part of a lab that runs in the engine."""

    async def answer(self, question: Any) -> Any:
        """Send the request `question` to the backend, and return the response.

        Canceling the call cancels the work. Raises any `TutorError` that the engine reports.
        """
        ...

    def close(self) -> None:
        """Close the backend in the engine, and free its memory."""
        ...


class Engine(Protocol):
    """The interface through which screens use the engine. No method blocks the event loop."""

    @property
    def state(self) -> EngineState: ...

    @property
    def detail(self) -> str:
        """A short description of the current state, for a status line."""
        ...

    @property
    def model(self) -> ModelCard | None:
        """The loaded model, or None while no model is loaded."""
        ...

    @property
    def failure(self) -> TutorError | None:
        """The error that stopped the engine or made it restart, or None."""
        ...

    @property
    def generation(self) -> int:
        """The number of times that the engine has started.

        A new number means that all earlier sessions are lost.
        """
        ...

    @property
    def served(self) -> bool:
        """Return True if this is a shared engine."""
        ...

    @property
    def alternative(self) -> EngineKind | None:
        """The kind of engine that the learner can switch to with `choose`, or None."""
        ...

    async def learners(self) -> int | None:
        """Return the number of app windows connected to the shared engine, or None if unknown."""
        ...

    async def choose(self, kind: EngineKind) -> None:
        """Stop using the current engine, and start or connect to an engine of this kind."""
        ...

    def watch(self, callback: Callable[[Engine], None]) -> Callable[[], None]:
        """Call `callback` after every change of state. Returns a function that unregisters it."""
        ...

    async def start(self) -> None:
        """Start the engine if it isn't running.

        This doesn't wait until the engine is ready; `ready` does.
        """
        ...

    async def stop(self) -> None:
        """Stop the engine, or disconnect from a shared one. Pending requests fail."""
        ...

    async def restart(self) -> None:
        """Stop the engine and start it again."""
        ...

    async def ready(self) -> ModelCard:
        """Wait until the model is loaded, and return its card. Raises `TutorError` on failure."""
        ...

    async def open_text(self, text: str) -> AsyncModelSession:
        """Start a session with a text, without a chat template."""
        ...

    async def open_chat(self, messages: Sequence[ChatMessage]) -> AsyncModelSession:
        """Start a session with a conversation, up to the start of the assistant's next answer."""
        ...

    async def open_tokens(
        self, ids: Sequence[int], data: Sequence[bytes] = ()
    ) -> AsyncModelSession:
        """Start a session with these token ids.

        For a remote model, `data` must contain the bytes of each token.
        """
        ...

    async def tokenize(self, text: str) -> tuple[Token, ...]:
        """Tokenize a text without opening a session."""
        ...

    def lab_backend(self, lab: AnyLab) -> LabBackend:
        """Return a backend for `lab`.

        The engine creates its side of the backend when it receives the first question.
        """
        ...

    def allowed(self, model: RemoteModel) -> bool:
        """Return True if the learner has agreed to send text to the host of `model`."""
        ...

    def allow(self, model: RemoteModel) -> None:
        """Allow sending text to the host of `model` until the program exits."""
        ...

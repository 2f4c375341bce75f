"""The protocols between the screens, the engine and its sessions.

A session is one path of tokens and the model's predictions along it. In the engine's process it is
a `ModelSession`: `tutor.lm.session` implements it for a local model, `tutor.vendors.session` for a
remote one. A screen holds the same session as an `AsyncModelSession`, which `tutor.engine.proxy`
derives from the messages in `tutor.engine.questions`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self

from tutor.errors import TutorError
from tutor.labs.kit.registry import AnyLab
from tutor.lm.distribution import (
    ChatMessage,
    Distribution,
    ModelCard,
    Row,
    SamplerSettings,
    Token,
    XRay,
)
from tutor.vendors.catalogue import RemoteModel


class EngineState(enum.Enum):
    STARTING = "starting"
    LOADING = "loading"
    READY = "ready"
    STOPPED = "stopped"


class ModelSession(Protocol):
    """One path of tokens, in the process that has the model.

    A method that fails raises a `TutorError` and changes nothing.
    """

    def __len__(self) -> int: ...

    @property
    def tokens(self) -> tuple[Token, ...]: ...

    def append(self, ids: Sequence[int]) -> None:
        """Add tokens at the end."""
        ...

    def go_back(self, length: int) -> None:
        """Shorten the path to its first `length` tokens."""
        ...

    def fork(self, length: int) -> Self:
        """Return a new session on the first `length` tokens, which keeps their cache."""
        ...

    def distribution(
        self, position: int, sampler: SamplerSettings, seed: int, top: int
    ) -> Distribution:
        """Return the distribution after the first `position` tokens, with its `top` best rows."""
        ...

    def rows(
        self, position: int, sampler: SamplerSettings, ids: tuple[int, ...]
    ) -> tuple[Row, ...]:
        """Return the rows of these tokens in the distribution after `position` tokens."""
        ...

    def find(
        self, position: int, sampler: SamplerSettings, query: str, limit: int
    ) -> tuple[Row, ...]:
        """Return the rows of tokens whose text contains `query`.

        Exact matches come first, then the most probable tokens. Raises `TextError` if there is
        none.
        """
        ...

    def surprisals(self, start: int = 0) -> tuple[float | None, ...]:
        """Return the surprisal of each token from `start` to the end, in bits.

        It is None for the first token of a text, which nothing comes before.
        """
        ...

    def xray(self, position: int, layer: int) -> XRay:
        """Return the logit lens at `position` and the attention of `layer`, both counted from 0.

        The attention of as many neighboring layers as fit into one answer is included.
        """
        ...


class AsyncModelSession(Protocol):
    """A `ModelSession` as a screen holds it: the same questions, awaited.

    The path changes here at once; the engine is told about the change with the next question.
    Cancelling a question cancels the work.
    """

    @property
    def tokens(self) -> tuple[Token, ...]: ...

    def append(self, tokens: Sequence[Token]) -> None:
        """Add tokens at the end. If they exceed the context window, the next question fails."""
        ...

    def go_back(self, length: int) -> None:
        """Shorten the path to its first `length` tokens."""
        ...

    def go_to(self, path: Sequence[Token]) -> None:
        """Switch to another path. The cache of the common beginning is kept."""
        ...

    async def append_turn(self, text: str) -> tuple[Token, ...]:
        """Add the user's next message, as the chat template does, and return the tokens added."""
        ...

    async def fork(self, length: int) -> AsyncModelSession: ...

    async def close(self) -> None:
        """Tell the engine to forget this session."""
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

    async def xray(self, position: int, layer: int) -> XRay: ...


class LabBackend(Protocol):
    """A lab's backend in the engine, as a screen holds it."""

    async def answer(self, question: Any) -> Any:
        """Return the backend's answer. Cancelling the call cancels the work.

        Raises the `TutorError` that the engine answers with.
        """
        ...

    def close(self) -> None:
        """Tell the engine to forget the backend."""
        ...


class Engine(Protocol):
    """The engine as the screens see it. No method blocks the event loop."""

    @property
    def state(self) -> EngineState: ...

    @property
    def detail(self) -> str:
        """A few words about the state, for a status line."""
        ...

    @property
    def model(self) -> ModelCard | None:
        """The model that is loaded; None until then."""
        ...

    @property
    def failure(self) -> TutorError | None:
        """The error that stopped the engine, or because of which it is restarting."""
        ...

    @property
    def generation(self) -> int:
        """The number of processes started so far. A session of an earlier process is gone."""
        ...

    @property
    def served(self) -> bool:
        """Return whether this is a shared engine."""
        ...

    def watch(self, callback: Callable[[Engine], None]) -> Callable[[], None]:
        """Call `callback` after every change of state. The function returned stops that."""
        ...

    async def start(self) -> None:
        """Start the engine if it is not running, without waiting for it: use `ready` for that."""
        ...

    async def stop(self) -> None:
        """End the engine, or disconnect from a shared one. Pending requests fail."""
        ...

    async def restart(self) -> None:
        """Stop the engine and start it again."""
        ...

    async def ready(self) -> ModelCard:
        """Wait until the model is loaded. Raises the `TutorError` that prevents it."""
        ...

    async def open_text(self, text: str) -> AsyncModelSession:
        """Start a session on raw text."""
        ...

    async def open_chat(self, messages: Sequence[ChatMessage]) -> AsyncModelSession:
        """Start a session on a conversation, up to where the assistant's answer begins."""
        ...

    async def open_tokens(
        self, ids: Sequence[int], data: Sequence[bytes] = ()
    ) -> AsyncModelSession:
        """Start a session on exactly these tokens. `data` holds their bytes, for a remote model."""
        ...

    async def tokenize(self, text: str) -> tuple[Token, ...]:
        """Return the tokens of a text, without a session."""
        ...

    def lab_backend(self, lab: AnyLab) -> LabBackend:
        """Return the backend of a lab. The engine creates it when the first question arrives."""
        ...

    def allowed(self, model: RemoteModel) -> bool:
        """Return whether text may be sent to the host of `model`."""
        ...

    def allow(self, model: RemoteModel) -> None:
        """Let text be sent to the host of `model` until the program ends."""
        ...

"""Lab backends: the parts of labs that run in the engine. Each open lab has one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tutor import paths
from tutor.engine.answering import Answering
from tutor.engine.inbox import Inbox
from tutor.engine.wire import AnyRequest, AskLab, Close, LabAnswer, Length, Message
from tutor.errors import EngineError
from tutor.labs.kit import registry
from tutor.labs.kit.backend import Backend, Closing, Tools, make_backend
from tutor.labs.kit.registry import AnyLab
from tutor.vendors.permissions import Permissions
from tutor.vendors.runs import RemoteRuns

if TYPE_CHECKING:
    from tutor.lm.language_model import LanguageModel


class LabBackends:
    """The open backends, by the name that the client chose for each.

    Messages contain a lab's questions as bytes. This class decodes them into the types that the lab
    declares. `load` returns the model, and is called only for labs that need one.
    """

    def __init__(
        self,
        load: Callable[[], LanguageModel],
        check_cancelled: Callable[[], None],
        permissions: Permissions | None = None,
        folder: Callable[[], Path] = paths.labs_folder,
        make: Callable[[str, Tools], Backend] = make_backend,
    ) -> None:
        self._load = load
        self._check_cancelled = check_cancelled
        self._permissions = permissions or Permissions()
        self._folder = folder
        self._make = make
        self._backends: dict[str, Backend] = {}
        self._runs: dict[str, RemoteRuns] = {}

    def on_question(self, request: AskLab) -> LabAnswer:
        return LabAnswer(request.id, self.answer(request.bench, request.lab, request.question))

    def answer(self, name: str, lab_name: str, question: bytes) -> bytes:
        """Send the request `question` to a backend, and return the response.

        Raises `EngineError` if the request is invalid.
        """
        lab = registry.find(lab_name)
        try:
            asked = msgspec.msgpack.decode(question, type=lab.questions)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise EngineError(
                f"The {lab_name!r} lab received an invalid request: {error}."
            ) from error
        self.admit(name, lab, asked)
        if name not in self._backends:
            runs = RemoteRuns(self._permissions)
            tools = Tools(self._load, self._check_cancelled, self._folder(), runs)
            self._backends[name] = self._make(lab_name, tools)
            self._runs[name] = runs
        return msgspec.msgpack.encode(self._backends[name].answer(asked))

    def admit(self, name: str, lab: AnyLab, question: Any) -> None:
        """Raise a `TutorError` if this engine is not allowed to handle the request."""

    def close(self, name: str) -> None:
        """Close a backend, if it exists, and cancel its requests to remote models."""
        backend = self._backends.pop(name, None)
        if isinstance(backend, Closing):
            backend.close()
        if runs := self._runs.pop(name, None):
            runs.close()

    def clear(self) -> None:
        for name in list(self._backends):
            self.close(name)


class LabServer(Answering):
    """A server that handles only questions from labs.

    When the learner uses a shared engine, this server runs in a second engine that belongs to the
    learner. It serves labs that need the learner's files, API keys or remote models. Most of these
    labs don't need a local model, so a model is loaded only on demand. This module does not import
    torch.
    """

    def __init__(
        self, backends: LabBackends, inbox: Inbox, send: Callable[[Message], None]
    ) -> None:
        super().__init__(inbox, send)
        self._backends = backends
        self.on(AskLab, backends.on_question)
        self.on(Close, self._close)

    def _close(self, request: Close) -> Length:
        self._backends.close(request.session)
        return Length(request.id, 0)

    def unknown(self, request: AnyRequest) -> EngineError:
        return EngineError(
            f"This engine serves only labs, so it cannot handle {type(request).__name__}."
        )

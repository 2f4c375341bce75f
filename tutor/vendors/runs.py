"""Run requests to remote models in background threads.

The engine must not wait for a server, so it starts a run and then polls it. `start`, `look` and
`cancel` return immediately, however slow the server is.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from tutor import errors
from tutor.vendors.alternatives import Alternatives
from tutor.vendors.catalogue import RemoteModel, ServiceCard, catalogue
from tutor.vendors.errors import too_slow
from tutor.vendors.keys import Secret, has_key
from tutor.vendors.opening import open_service
from tutor.vendors.permissions import Permissions
from tutor.vendors.service import Cancellation, Finish, Piece, RemoteRequest, Service

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunLimits:
    """Timeouts in seconds, and limits on the size of a response."""

    first_piece: float = 90.0
    """The maximum number of seconds until the first piece.

    It is high because large models reason first.
    """
    next_piece: float = 30.0
    """The maximum number of seconds between pieces."""
    bytes: int = 4_000_000
    """The maximum size of a response in bytes. A larger response is cut off."""
    pieces: int = 100_000
    patience: float = 0.05
    """The number of seconds that `look_patiently` waits before it checks again."""


LIMITS = RunLimits()

POLL = 0.05
"""The number of seconds between checks for cancellation."""


class ErrorReport(msgspec.Struct, frozen=True):
    """A `TutorError` as plain data: its class name, what happened, and what to do."""

    kind: str
    happened: str
    next_step: str = ""

    @classmethod
    def of(cls, error: errors.TutorError) -> ErrorReport:
        return cls(type(error).__name__, error.happened, error.next_step)

    @property
    def error(self) -> errors.TutorError:
        return errors.kind_named(self.kind, errors.RemoteError)(self.happened, self.next_step)

    @property
    def title(self) -> str:
        return self.error.title


class Progress(msgspec.Struct, frozen=True):
    """The state of a run.

    - `pieces`: the pieces from the requested index on
    - `arrived`: the total number of pieces so far
    - `first_after` and `last_after`: the seconds from the request to the first and the latest piece
    - `seconds`: the seconds from the request until now, or until the end of the run
    - `finish`: set when the response is complete
    - `trouble`: the error, if the run has failed

    A run ends when it has a `finish` or a `trouble`. Pieces that arrived before an error are kept.
    """

    pieces: tuple[Piece, ...] = ()
    arrived: int = 0
    seconds: float = 0.0
    first_after: float | None = None
    last_after: float | None = None
    finish: Finish | None = None
    trouble: ErrorReport | None = None

    def or_raise(self) -> Progress:
        """Return this state. If the run failed, raise its `TutorError`."""
        if self.trouble is not None:
            raise self.trouble.error
        return self

    @property
    def over(self) -> bool:
        return self.finish is not None or self.trouble is not None


class Offer(msgspec.Struct, frozen=True):
    """A service in the catalogue, and what this process may do with it.

    It says whether the service has an API key, and whether its host is permitted.
    """

    card: ServiceCard
    has_key: bool
    allowed: bool


class RemoteRuns:
    """The runs of one lab. The lab chooses the name of each run."""

    def __init__(
        self,
        permissions: Permissions | None = None,
        open_: Callable[[RemoteModel, Secret | None], Service] = open_service,
        limits: RunLimits = LIMITS,
    ) -> None:
        self._permissions = permissions or Permissions()
        self._limits = limits
        self._open = open_
        self._runs: dict[str, Run] = {}
        self._alternatives: dict[RemoteModel, Alternatives] = {}

    def offers(self) -> tuple[Offer, ...]:
        """Return all services in the catalogue, in the order of the file.

        This takes a moment, because it looks for API keys in the keyring.
        """
        return tuple(
            Offer(
                card, has_key(card), self._permissions.allowed(RemoteModel(card, card.model or ""))
            )
            for card in catalogue()
        )

    def start(self, name: str, model: RemoteModel, request: RemoteRequest) -> None:
        """Start a run. A run with the same name is replaced.

        Raises `NotAllowed`. All other errors are reported by `look`.
        """
        told = self._alternatives.setdefault(model, Alternatives(model))
        opened = self._opened(model)
        self.cancel(name)
        self._runs[name] = Run(lambda cut: told.stream(opened, request, cut), self._limits)

    def read(self, name: str, model: RemoteModel, text: str) -> None:
        """Start a run whose pieces are the tokens of `text`, as the server tokenizes it.

        Each piece has its log-probability if the server reports it. Raises `NotAllowed`.
        """
        opened = self._opened(model)
        self.cancel(name)
        self._runs[name] = Run(lambda cut: prompt_events(opened(), text, cut), self._limits)

    def _opened(self, model: RemoteModel) -> Callable[[], Service]:
        """Return a function that opens the model's service. Raises `NotAllowed`."""
        self._permissions.check(model)
        key = self._permissions.key(model)
        return lambda: self._open(model, key)

    def look(self, name: str, since: int = 0) -> Progress:
        """Return the state of a run, with the pieces from index `since` on.

        An unknown run is reported as interrupted, because the engine loses its runs when it
        restarts.
        """
        run = self._runs.get(name)
        if run is None:
            lost = errors.StreamBroken(
                "The engine restarted before the answer was complete.", "Try again."
            )
            return Progress(arrived=since, trouble=ErrorReport.of(lost))
        return run.progress(since)

    def look_patiently(self, name: str) -> Progress:
        """Return the state of a run, after a short wait if the run has not ended.

        The wait slows down a lab that polls in a loop.
        """
        progress = self.look(name)
        if not progress.over:
            time.sleep(self._limits.patience)
            progress = self.look(name)
        return progress

    def cancel(self, name: str) -> None:
        """Cancel a run if it exists. `look` then reports it as canceled."""
        if run := self._runs.get(name):
            run.cancel()

    def close(self) -> None:
        """Cancel and remove all runs."""
        for run in self._runs.values():
            run.cancel()
        self._runs.clear()


Events = Callable[[Cancellation], Iterator[Piece | Finish]]


def prompt_events(
    service: Service, text: str, cancellation: Cancellation
) -> Iterator[Piece | Finish]:
    """Yield the tokens of `text` (see `Service.prompt_tokens`) as events of a run."""
    yield from service.prompt_tokens(text, cancellation) or ()
    yield Finish("stop")


class Run:
    """A request that runs in its own thread, and collects the events that `events` yields."""

    def __init__(self, events: Events, limits: RunLimits = LIMITS) -> None:
        self._limits = limits
        self._cancellation = Cancellation()
        self._lock = threading.Lock()
        self._arrival = threading.Event()
        self._pieces: list[Piece] = []
        self._size = 0
        self._begun = time.monotonic()
        self._first: float | None = None
        self._last: float | None = None
        self._ended: float | None = None
        self._finish: Finish | None = None
        self._trouble: ErrorReport | None = None
        threading.Thread(
            target=self._read, args=(events,), name="remote answer", daemon=True
        ).start()

    def progress(self, since: int = 0) -> Progress:
        self._check_silence()
        with self._lock:
            return Progress(
                tuple(self._pieces[since:]),
                len(self._pieces),
                self._after(self._ended or time.monotonic()) or 0.0,
                self._after(self._first),
                self._after(self._last),
                self._finish,
                self._trouble,
            )

    def wait(self, seconds: float) -> None:
        """Wait until something has arrived since the last call, but at most `seconds`."""
        self._arrival.wait(seconds)
        self._arrival.clear()

    def cancel(self) -> None:
        """Cancel the run. Pieces that arrive later are dropped."""
        self._end(trouble=ErrorReport.of(errors.RequestCancelled("The request was canceled.")))
        self._cancellation.cancel()

    def _read(self, events: Events) -> None:
        try:
            for event in events(self._cancellation):
                if isinstance(event, Finish):
                    self._end(finish=event)
                    return
                self._take(event)
            self._end(
                trouble=ErrorReport.of(
                    errors.StreamBroken("The answer ended unexpectedly.", "Try again.")
                )
            )
        except errors.TutorError as error:
            self._end(trouble=ErrorReport.of(error))
        except Exception as error:  # noqa: BLE001 (a bug must not leave the caller waiting)
            # The message may contain the request with the API key, so only the type and the
            # traceback are logged.
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("a remote request failed with %s\n%s", type(error).__name__, where)
            mistake = errors.EngineError(
                f"An internal error occurred in the remote request: {type(error).__name__}."
            )
            self._end(trouble=ErrorReport.of(mistake))

    def _take(self, piece: Piece) -> None:
        with self._lock:
            if self._ended is None:
                self._last = time.monotonic()
                self._first = self._first or self._last
                self._pieces.append(piece)
                self._size += len(piece.data)
        if self._size > self._limits.bytes or len(self._pieces) > self._limits.pieces:
            raise errors.AnswerUnreadable("The answer is too long.", "Try another server.")
        self._arrival.set()

    def _end(self, *, finish: Finish | None = None, trouble: ErrorReport | None = None) -> None:
        with self._lock:
            if self._ended is None:
                self._ended = time.monotonic()
                self._finish, self._trouble = finish, trouble
        self._arrival.set()

    def _check_silence(self) -> None:
        """End the run if the server has been silent for too long."""
        now = time.monotonic()
        limits = self._limits
        patience = limits.first_piece if self._last is None else limits.next_piece
        if self._ended is None and now - (self._last or self._begun) > patience:
            self._end(trouble=ErrorReport.of(too_slow(patience, begun=self._last is not None)))
            self._cancellation.cancel()

    def _after(self, moment: float | None) -> float | None:
        return None if moment is None else moment - self._begun


def never() -> None:
    """Do nothing. This is the `check` of callers that never cancel."""


def whole(events: Events, check: Callable[[], None] = never) -> Progress:
    """Wait for the complete response. If `check` raises an error, the request is canceled."""
    run = Run(events)
    try:
        while not (progress := run.progress()).over:
            check()
            run.wait(POLL)
    finally:
        run.cancel()
    return progress

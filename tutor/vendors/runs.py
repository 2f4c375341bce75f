"""Answers in progress, each in a thread of its own.

The engine must not wait for a server, so it starts a run and polls it: `start`, `look` and `cancel`
return at once, however slow the server is.
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
    """The time to wait for a server, in seconds, and the most that it may send."""

    first_piece: float = 90.0
    """Until its answer begins: large models reason first."""
    next_piece: float = 30.0
    """Until each further piece."""
    bytes: int = 4_000_000
    """More than any answer requested here; a server that does not stop is stopped."""
    pieces: int = 100_000
    patience: float = 0.05
    """The pause of `look_patiently` before it looks again."""


LIMITS = RunLimits()

POLL = 0.05
"""Seconds between two checks whether the answer is still wanted."""


class ErrorReport(msgspec.Struct, frozen=True):
    """A `TutorError` as plain data: its class name and its two sentences."""

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

    `pieces` are those from the one asked for on; `arrived` counts all pieces so far. `first_after`
    and `last_after` are the seconds from the request to the first and to the latest piece,
    `seconds` those until now, or until the end. A run is over when it has a `finish` or an error
    (`trouble`); the pieces that arrived before an error are kept.
    """

    pieces: tuple[Piece, ...] = ()
    arrived: int = 0
    seconds: float = 0.0
    first_after: float | None = None
    last_after: float | None = None
    finish: Finish | None = None
    trouble: ErrorReport | None = None

    def or_raise(self) -> Progress:
        """Return this state. Raises the `TutorError` that ended the run, if there is one."""
        if self.trouble is not None:
            raise self.trouble.error
        return self

    @property
    def over(self) -> bool:
        return self.finish is not None or self.trouble is not None


class Offer(msgspec.Struct, frozen=True):
    """A service of the catalogue, whether it has a key, and whether its host is allowed."""

    card: ServiceCard
    has_key: bool
    allowed: bool


class RemoteRuns:
    """The runs of one lab, by the names that the lab gives them."""

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
        """Return all services of the catalogue, in order.

        Asks the keyring, which takes a moment.
        """
        return tuple(
            Offer(
                card, has_key(card), self._permissions.allowed(RemoteModel(card, card.model or ""))
            )
            for card in catalogue()
        )

    def start(self, name: str, model: RemoteModel, request: RemoteRequest) -> None:
        """Start a run, and cancel and forget one of the same name.

        Raises `NotAllowed`. All other errors are reported by `look`.
        """
        told = self._alternatives.setdefault(model, Alternatives(model))
        opened = self._opened(model)
        self.cancel(name)
        self._runs[name] = Run(lambda cut: told.stream(opened, request, cut), self._limits)

    def read(self, name: str, model: RemoteModel, text: str) -> None:
        """Start a run whose pieces are the tokens of `text`, as the server tokenizes it.

        Each has its log-probability, or none if the server does not report it. Raises `NotAllowed`.
        """
        opened = self._opened(model)
        self.cancel(name)
        self._runs[name] = Run(lambda cut: prompt_events(opened(), text, cut), self._limits)

    def _opened(self, model: RemoteModel) -> Callable[[], Service]:
        """Return a function that opens this model's service with its key. Raises `NotAllowed`."""
        self._permissions.check(model)
        key = self._permissions.key(model)
        return lambda: self._open(model, key)

    def look(self, name: str, since: int = 0) -> Progress:
        """Return the state of a run, with the pieces from number `since` on.

        A run that this process does not know is reported as interrupted.
        """
        run = self._runs.get(name)
        if run is None:
            lost = errors.StreamBroken(
                "The engine restarted while the answer was arriving.", "Ask again."
            )
            return Progress(arrived=since, trouble=ErrorReport.of(lost))
        return run.progress(since)

    def look_patiently(self, name: str) -> Progress:
        """Return the state of a run, after a short wait if it is not over.

        The wait keeps a lab that polls all the time from polling too often.
        """
        progress = self.look(name)
        if not progress.over:
            time.sleep(self._limits.patience)
            progress = self.look(name)
        return progress

    def cancel(self, name: str) -> None:
        """Cancel a run, if it exists; `look` reports that from now on."""
        if run := self._runs.get(name):
            run.cancel()

    def close(self) -> None:
        """Cancel and forget all runs."""
        for run in self._runs.values():
            run.cancel()
        self._runs.clear()


Events = Callable[[Cancellation], Iterator[Piece | Finish]]


def prompt_events(
    service: Service, text: str, cancellation: Cancellation
) -> Iterator[Piece | Finish]:
    """Yield the tokens of a text (`Service.prompt_tokens`) as the events of a run."""
    yield from service.prompt_tokens(text, cancellation) or ()
    yield Finish("stop")


class Run:
    """One answer, which a thread receives: the events that `events` yields."""

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
        """Wait until something has arrived since the last `wait`, for at most `seconds`."""
        self._arrival.wait(seconds)
        self._arrival.clear()

    def cancel(self) -> None:
        """Cancel the run: whatever arrives from now on is dropped."""
        self._end(trouble=ErrorReport.of(errors.RequestCancelled("The answer was stopped.")))
        self._cancellation.cancel()

    def _read(self, events: Events) -> None:
        try:
            for event in events(self._cancellation):
                if isinstance(event, Finish):
                    self._end(finish=event)
                    return
                self._take(event)
            self._end(
                trouble=ErrorReport.of(errors.StreamBroken("The answer has no end.", "Ask again."))
            )
        except errors.TutorError as error:
            self._end(trouble=ErrorReport.of(error))
        except Exception as error:  # noqa: BLE001 (a bug must not leave the caller waiting)
            # The message may contain what was sent, key included, so only type and place are
            # logged.
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("a remote answer ended with %s\n%s", type(error).__name__, where)
            mistake = errors.EngineError(
                f"An internal error occurred in the adapter: {type(error).__name__}."
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
            raise errors.AnswerUnreadable("The answer is too long.", "Ask another server.")
        self._arrival.set()

    def _end(self, *, finish: Finish | None = None, trouble: ErrorReport | None = None) -> None:
        with self._lock:
            if self._ended is None:
                self._ended = time.monotonic()
                self._finish, self._trouble = finish, trouble
        self._arrival.set()

    def _check_silence(self) -> None:
        """End a run whose server keeps the connection open but is silent."""
        now = time.monotonic()
        limits = self._limits
        patience = limits.first_piece if self._last is None else limits.next_piece
        if self._ended is None and now - (self._last or self._begun) > patience:
            self._end(trouble=ErrorReport.of(too_slow(patience, begun=self._last is not None)))
            self._cancellation.cancel()

    def _after(self, moment: float | None) -> float | None:
        return None if moment is None else moment - self._begun


def never() -> None:
    """Do nothing: a check for callers that wait until the end."""


def whole(events: Events, check: Callable[[], None] = never) -> Progress:
    """Wait for the whole answer and return it. An error that `check` raises cuts it off."""
    run = Run(events)
    try:
        while not (progress := run.progress()).over:
            check()
            run.wait(POLL)
    finally:
        run.cancel()
    return progress

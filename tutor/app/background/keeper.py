"""Keep a model running.

The keeper starts the engine and, if the default model is missing, downloads it in the background.
As soon as that model is installed, the keeper switches to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from tutor.app.background.fetch import fetch_model
from tutor.app.background.status import ModelStatus
from tutor.errors import NotEnoughMemory, NotInThisLogin, RequestCancelled, TutorError
from tutor.language import _
from tutor.lm.fast.free_memory import available_memory
from tutor.models.report import Pulled, PullProgress

if TYPE_CHECKING:
    from tutor.engine.api import Engine, EngineKind

MEGABYTE = 1_000_000
OWN_ENGINE = 700 * MEGABYTE
"""The memory, in bytes, that an engine needs for the default model with a full context window."""
COUNT_EVERY = 30.0
"""The interval, in seconds, at which the learners on a shared engine are counted."""

Fetch = Callable[[Callable[[PullProgress], None]], Awaitable[Pulled]]
"""A function that downloads the default model.

It calls its argument to report progress, and raises `TutorError` if the download fails.
"""


class ModelKeeper:
    """A keeper that starts the engine, downloads the model, and reports each change of status.

    The default model is downloaded if `missing` returns True, which means that this model is needed
    but not installed. While the app may still connect to a shared engine, the model is not needed
    yet, so the keeper calls `missing` again as soon as the engine has started.

    The model is never downloaded if `may_fetch` is false. If `asks_first` is true, it is only
    downloaded when the learner asks for it, which calls `fetch`. Otherwise, one download starts
    automatically, and the learner can start others.
    """

    def __init__(
        self,
        engine: Engine,
        on_status: Callable[[ModelStatus], None],
        *,
        missing: Callable[[], bool],
        may_fetch: bool = True,
        asks_first: bool = False,
        fetch: Fetch = fetch_model,
        free_memory: Callable[[], int | None] = available_memory,
    ) -> None:
        self._engine = engine
        self._on_status = on_status
        self._missing = missing
        self._may_fetch = may_fetch
        self._asks_first = asks_first
        self._fetch_model = fetch
        self._free_memory = free_memory
        self._counting: asyncio.Task[None] | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._fetched_before = False
        """Whether a download has been started, so that none starts automatically."""
        self._stop_watching: Callable[[], None] | None = None
        self.status = ModelStatus()

    async def start(self) -> None:
        """Start the engine, and download the default model if it is missing."""
        self._stop_watching = self._engine.watch(self._engine_changed)
        self._report(small=self._missing())
        self._fetch_at_once()
        await self._bring_up(self._engine.start)

    async def stop(self) -> None:
        """Stop the download and the engine."""
        if self._stop_watching is not None:
            self._stop_watching()
        self.cancel_fetch()
        self._stop_counting()
        await self._engine.stop()

    async def choose_engine(self, kind: EngineKind) -> None:
        """Switch to the learner's own engine or to the shared engine.

        Raises `NotEnoughMemory` if the machine has too little memory for another engine.
        """
        free = self._free_memory() if kind == "own" else None
        if free is not None and free < OWN_ENGINE:
            raise NotEnoughMemory(
                _(
                    "Your own engine needs about {own_engine:,} MB of memory, and only "
                    "{free:,} MB are free."
                ).format(own_engine=OWN_ENGINE // MEGABYTE, free=free // MEGABYTE),
                "Continue with the shared engine, or try again later.",
            )
        await self._engine.choose(kind)
        self._report(small=self._missing())
        self._fetch_at_once()

    async def restart_engine(self) -> None:
        """Restart the engine with the currently selected model."""
        self._report(small=self._missing())
        await self._bring_up(self._engine.restart)

    @property
    def can_fetch(self) -> bool:
        """True if the default model is missing, and the learner may start its download."""
        return self._may_fetch and self.status.small and self._fetching is None

    def _fetch_at_once(self) -> None:
        if self.can_fetch and not (self._asks_first or self._fetched_before):
            self.fetch()

    def fetch(self) -> None:
        """Start downloading the default model in the background, unless a download is in progress.

        Raises `NotInThisLogin` if downloads are not allowed.
        """
        if not self._may_fetch:
            raise NotInThisLogin(
                "You cannot download models on this machine.",
                "Ask the administrator to install one.",
            )
        if self._fetching is None:
            self._fetched_before = True
            self._report(fetch=PullProgress("fetching"), fetch_failure=None)
            self._fetching = asyncio.create_task(self._fetch())

    def cancel_fetch(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()

    async def _bring_up(self, start: Callable[[], Awaitable[None]]) -> None:
        try:
            await start()
        except TutorError as error:
            self._report(phase="stopped", failure=error)

    async def _fetch(self) -> None:
        failure: TutorError | None = None
        try:
            await self._fetch_model(lambda progress: self._report(fetch=progress))
        except asyncio.CancelledError:
            failure = RequestCancelled("The download was stopped.")
        except TutorError as error:
            failure = error
        self._fetching = None
        self._report(fetch=None, fetch_failure=failure)
        if failure is None:
            await self.restart_engine()

    def _engine_changed(self, engine: Engine) -> None:
        phase = engine.state.value
        started = self.status.phase == "starting" and phase != "starting"
        self._report(
            small=self._missing() if started else self.status.small,
            phase=phase,
            detail=engine.detail,
            model=engine.model,
            failure=engine.failure,
            served=engine.served,
            alternative=engine.alternative,
        )
        if started:
            self._fetch_at_once()
        if not engine.served:
            self._stop_counting()
            self._report(learners=None)
        elif self._counting is None:
            self._counting = asyncio.create_task(self._count())

    async def _count(self) -> None:
        """Count the learners on the shared engine at regular intervals, and report the number."""
        while True:
            self._report(learners=await self._engine.learners())
            await asyncio.sleep(COUNT_EVERY)

    def _stop_counting(self) -> None:
        if self._counting is not None:
            self._counting.cancel()
            self._counting = None

    def _report(self, **changes: object) -> None:
        status = msgspec.structs.replace(self.status, **changes)
        if status != self.status:
            self.status = status
            self._on_status(status)

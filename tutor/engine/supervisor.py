"""Keep an engine alive: start it, process its messages, and restart it when it exits.

The engine may work for any length of time as long as it sends messages. An engine that has pending
requests but sends no messages is killed and restarted. When a shared engine exits, this supervisor
waits until `tutor.engine.shared.supervisor` has restarted the engine.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import assert_never

from tutor.engine import wire
from tutor.engine.api import EngineState
from tutor.engine.liveness import Liveness
from tutor.engine.reach import Channel, Reach
from tutor.engine.requests import PendingRequests
from tutor.errors import EngineError, TutorError
from tutor.lm.distribution import ModelCard
from tutor.models.report import in_words

_AGAIN = "It restarts automatically and continues with the same text."
_NOT_AGAIN = "It stopped repeatedly, possibly because memory is low. Use “retry” to start it again."


class Supervisor:
    """A supervisor that keeps one engine running.

    It passes responses to `requests`, and makes all pending requests fail when the engine exits. It
    calls `greet` with every new connection, and `changed` after every change of state.
    """

    def __init__(
        self,
        reach: Reach,
        requests: PendingRequests,
        greet: Callable[[Channel], None],
        changed: Callable[[], None],
        liveness: Liveness,
    ) -> None:
        self.state = EngineState.STOPPED
        self.detail = ""
        self.model: ModelCard | None = None
        self.failure: TutorError | None = None
        self.generation = 0
        self.channel: Channel | None = None
        self._reach = reach
        self._patience = reach.patience
        self._requests = requests
        requests.changed = self._update_liveness
        self._greet = greet
        self._changed = changed
        self._state_changed = asyncio.Event()
        self._liveness = liveness
        self._life: asyncio.Task[None] | None = None
        self._stopping = False
        self._failed_starts = 0
        self._deaths: deque[float] = deque(maxlen=self._patience.restarts + 1)

    def begin(self) -> None:
        """Start the engine if it is not running."""
        if self._life is not None and not self._life.done():
            return
        self._stopping = False
        self._deaths.clear()
        self._failed_starts = 0
        self._reach.served = False
        self.failure = None
        self._enter(EngineState.STARTING, "starting")
        self._life = asyncio.create_task(self._live(), name="engine")

    async def end(self) -> None:
        """Stop the engine process, or disconnect from a shared engine."""
        self._stopping = True
        if self.channel is not None:
            await self.channel.end()
        if self._life is not None:
            # unlike `await self._life`, this never cancels the task
            await asyncio.wait({self._life})
        self.failure = None
        self._enter(EngineState.STOPPED, "")

    async def answering(self) -> None:
        """Wait until the engine is ready. Raises a `TutorError` if the engine cannot start."""
        while self.state is not EngineState.READY:
            if self.state is EngineState.STOPPED:
                raise self.failure or EngineError(
                    "The engine is not running.", "Start the engine first."
                )
            await self._state_changed.wait()

    async def _live(self) -> None:
        """Run the engine, and restart it whenever it exits.

        This returns when the engine is stopped or when a restart would not help.
        """
        while not self._stopping:
            try:
                self.channel = await self._reach.open(lambda: not self._stopping)
            except EngineError as error:
                self._give_up(error)
                return
            self.generation += 1
            final, reason = await self._listen(self.channel)
            self.channel = None
            self._requests.fail(reason)
            if self._stopping:
                self._enter(EngineState.STOPPED, "")
                return
            again = not final and not self._too_many_deaths()
            if not reason.next_step:
                reason.next_step = _AGAIN if again else _NOT_AGAIN
            if not again:
                self._give_up(reason)
                return
            self.failure = reason
            self._enter(EngineState.STARTING, "restarting")

    async def _listen(self, channel: Channel) -> tuple[bool, TutorError]:
        """Process the messages of one engine until it exits.

        The result is a pair. The first item is True if a restart would not help. The second item is
        the error that explains why the engine exited.
        """
        watch = asyncio.create_task(self._watch_over(channel), name="engine's liveness")
        try:
            if self._stopping:  # `end` was called while the process was starting
                await channel.end()
            self._greet(channel)
            while (message := await channel.receive()) is not None:
                self._liveness.hear()
                if isinstance(message, wire.Failed) and message.id == 0:
                    channel.kill()
                    await channel.end()
                    return self.state is not EngineState.READY, message.error
                self._take(message)
            ending = await channel.end()
            if watch.done():  # the watchdog has killed the engine
                return watch.result()
            return False, EngineError(ending)
        except EngineError as error:
            channel.kill()
            await channel.end()
            return False, error
        finally:
            watch.cancel()

    async def _watch_over(self, channel: Channel) -> tuple[bool, TutorError]:
        """Wait until the engine hangs, then kill it. The result is a pair as in `_listen`.

        SIGKILL works even on a process that is suspended.
        """
        await self._liveness.until_silent(lambda: channel.send(wire.Ping()), self._longest_silence)
        ready = self.state is EngineState.READY
        seconds = f"{self._longest_silence():g} seconds"
        channel.kill()
        if ready:
            left = "disconnected" if channel.shared else "stopped"
            return False, EngineError(f"The engine did not respond for {seconds} and was {left}.")
        return True, EngineError(
            f"The engine did not respond for {seconds} while starting.",
            "Use “retry” to start it again.",
        )

    def _longest_silence(self) -> float:
        ready = self.state is EngineState.READY
        return self._patience.silence if ready else self._patience.start_silence

    def _take(self, message: wire.FromEngine) -> None:
        match message:
            case wire.Answer():
                self._requests.settle(message)
            case wire.Loading(stage=stage, done=done, total=total):
                self._enter(EngineState.LOADING, in_words(stage, done, total))
            case wire.Ready(model=model):
                self.model = model
                self.failure = None
                self._failed_starts = 0
                self._enter(EngineState.READY, "")
            case wire.Pong():
                pass  # `hear` has already been called
            case wire.EngineLoad():
                raise EngineError("The engine sent an unexpected load report.")
            case _:
                assert_never(message)

    def _update_liveness(self) -> None:
        self._liveness.owe(bool(self._requests) or self.state is not EngineState.READY)

    def _too_many_deaths(self) -> bool:
        now = asyncio.get_running_loop().time()
        self._deaths.append(now)
        self._failed_starts += 1
        most, window = self._patience.restarts, self._patience.restart_window
        if self._failed_starts > most:
            return True
        return len(self._deaths) > most and now - self._deaths[0] < window

    def _give_up(self, error: TutorError) -> None:
        self.failure = error
        self._enter(EngineState.STOPPED, error.title)

    def _enter(self, state: EngineState, detail: str) -> None:
        self.state, self.detail = state, detail
        self._update_liveness()
        self._state_changed.set()
        self._state_changed = asyncio.Event()
        self._changed()

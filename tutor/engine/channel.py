"""What connects the app with an engine: a process of its own, or one that serves many."""

from __future__ import annotations

from typing import Protocol

from tutor.engine.wire import FromEngine, Message


class Channel(Protocol):
    """Nothing here blocks the event loop."""

    @property
    def pid(self) -> int | None:
        """Of a process that is the app's own."""
        ...

    @property
    def shared(self) -> bool:
        """Whether others are served at the other end, too."""
        ...

    def send(self, message: Message) -> None:
        """Hand over a message; it travels while the event loop runs. Where nobody is left at the
        other end, nothing is sent: whoever waits for its answer is told by the one who reads."""
        ...

    async def receive(self) -> FromEngine | None:
        """The next message; None at the end. Raises `EngineError` for one that is unreadable."""
        ...

    async def end(self) -> str:
        """End it if it has not ended, and say in a sentence how it did."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...

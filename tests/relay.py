"""A relay on the loopback that counts and can delay the traffic, like a slow connection.

A network namespace with `tc netem` would do the same on kernels that support it.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from itertools import pairwise
from types import TracebackType
from typing import Literal, Self

Direction = Literal["up", "down"]
"""The direction of traffic: to the server, or to the client."""


class Relay:
    """A relay that passes connections on to `port`; clients connect to `self.port`.

    Each chunk arrives `delay` seconds after it was sent, whatever was sent before.
    """

    def __init__(self, port: int, *, delay: float = 0.0) -> None:
        self._to = port
        self._delay = delay
        self._passed: list[tuple[Direction, int]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = [self._listener]
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for each in self._open:
            each.close()

    # --- measured traffic -----------------------------------------------------------------------

    def mark(self) -> int:
        """Return the current time, to be compared with later times."""
        return len(self._passed)

    def size(self, direction: Direction, since: int = 0) -> int:
        """Return the number of bytes of TCP payload in this direction."""
        return sum(size for way, size in self._passed[since:] if way == direction)

    def round_trips(self, since: int = 0) -> int:
        """Return the number of round trips.

        Each chunk from the client that follows one from the server begins another.
        """
        ways = ["down", *(way for way, _ in self._passed[since:])]
        return sum(pair == ("down", "up") for pair in pairwise(ways))

    # --- passing on ------------------------------------------------------------------------------

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
            except OSError:  # closed
                return
            self._open += [client, server]
            self._pass_on(client, server, "up")
            self._pass_on(server, client, "down")

    def _pass_on(self, source: socket.socket, target: socket.socket, way: Direction) -> None:
        target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        under_way: queue.Queue[tuple[float, bytes]] = queue.Queue()

        def take() -> None:
            data = b"begun"
            while data:
                try:
                    data = source.recv(65536)
                except OSError:
                    data = b""
                if data:
                    self._passed.append((way, len(data)))
                under_way.put((time.monotonic() + self._delay, data))

        def give() -> None:
            while True:
                due, data = under_way.get()
                time.sleep(max(0.0, due - time.monotonic()))
                try:
                    if not data:
                        target.shutdown(socket.SHUT_WR)
                        return
                    target.sendall(data)
                except OSError:
                    return

        for run in (take, give):
            threading.Thread(target=run, daemon=True).start()

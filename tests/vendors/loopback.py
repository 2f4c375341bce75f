"""A real HTTP server on the loopback that follows the protocols, and misbehaves on demand.

`server.answers` are the answers to the next requests, one after another; the last one repeats. Each
is a function of the request's handler. `server.asked` are the requests that arrived.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-loopback-0123456789abcdef-SECRET"


@dataclass(frozen=True)
class Asked:
    path: str
    headers: dict[str, str]
    body: Any


Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    server: Loopback
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length) or b"null")
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append(Asked(self.path, headers, body))
        self.close_connection = True
        self.server.next_answer()(self)

    do_GET = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def begin(self, status: int = 200, kind: str = "text/event-stream", **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("connection", "close")
        self.end_headers()

    def event(self, data: Any) -> None:
        text = data if isinstance(data, str) else json.dumps(data)
        self.wfile.write(f"data: {text}\n\n".encode())
        self.wfile.flush()


class Loopback(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[Asked] = []
        self.answers: list[Answer] = []
        self.released = threading.Event()
        """Set at the end, and by tests, to release a `silent` server."""
        self.name = "127.0.0.1"

    @property
    def url(self) -> str:
        return f"http://{self.name}:{self.server_address[1]}"

    def seem_elsewhere(self) -> None:
        """Use a host name for the loopback that does not look like it.

        tutor then treats text that is sent here as leaving the machine.
        """
        self.name = "0.0.0.0"

    def next_answer(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # some tests are about a client that hangs up


@contextmanager
def loopback() -> Iterator[Loopback]:
    server = Loopback()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


# --- OpenAI's API ------------------------------------------------------------------------------

Told = tuple[str, float, Sequence[tuple[str, float]]]
"""A token, its log-probability, and the most probable tokens at its position."""


def chat_event(text: str = "", finish: str | None = None, told: Sequence[Told] = ()) -> Any:
    content = [
        {
            "token": token,
            "logprob": value,
            "bytes": list(token.encode()),
            "top_logprobs": [
                {"token": name, "logprob": each, "bytes": list(name.encode())} for name, each in top
            ],
        }
        for token, value, top in told
    ]
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "delta": {"content": text},
                "finish_reason": finish,
                "logprobs": {"content": content} if told else None,
            }
        ],
    }


def text_event(text: str = "", finish: str | None = None, told: Sequence[Told] = ()) -> Any:
    logprobs = {
        "tokens": [token for token, _, _ in told],
        "token_logprobs": [value for _, value, _ in told],
        "top_logprobs": [dict(top) for _, _, top in told],
        "text_offset": [0 for _ in told],
    }
    return {
        "id": "t1",
        "object": "text_completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "text": text,
                "finish_reason": finish,
                "logprobs": logprobs if told else None,
            }
        ],
    }


def usage_event(prompt: int, answer: int) -> Any:
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": answer,
            "total_tokens": prompt + answer,
        },
    }


def stream(*events: Any, done: bool = True) -> Answer:
    def answer(handler: Handler) -> None:
        handler.begin()
        for event in events:
            handler.event(event)
        if done:
            handler.event("[DONE]")

    return answer


def whole(body: Any) -> Answer:
    """Return a single response that is not streamed."""
    return status(200, body)


def status(code: int, body: Any = None, **headers: str) -> Answer:
    def answer(handler: Handler) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.begin(code, "application/json", content_length=str(len(data)), **headers)
        handler.wfile.write(data)

    return answer


def raw(data: bytes, kind: str = "text/event-stream") -> Answer:
    def answer(handler: Handler) -> None:
        handler.begin(200, kind)
        handler.wfile.write(data)

    return answer


def silent(*events: Any, headers: bool = True) -> Answer:
    """Send these events, and then nothing more, but keep the connection open."""

    def answer(handler: Handler) -> None:
        if headers:
            handler.begin()
        for event in events:
            handler.event(event)
        handler.server.released.wait(60)

    return answer


def broken(*events: Any) -> Answer:
    """Announce more data than is sent, and close the connection."""

    def answer(handler: Handler) -> None:
        handler.begin(content_length="100000")
        for event in events:
            handler.event(event)

    return answer

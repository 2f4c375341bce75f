"""An engine without a model, for tests of the client: `python scripted_engine.py BEHAVIOR`.

It follows the protocol over standard input and output, with an endless session of one token, and
misbehaves in one way: see `main`. Some tests use `answer` without a process.
"""

from __future__ import annotations

import sys

from tutor.engine import frames
from tutor.engine.wire import (
    Answer,
    AnyRequest,
    Append,
    AppendTurn,
    AskSurprisals,
    Close,
    Failed,
    Fork,
    GoBack,
    Length,
    Loading,
    Message,
    Opened,
    OpenText,
    OpenTokens,
    PathRequest,
    Ping,
    Pong,
    Ready,
    SessionQuestion,
    Surprisals,
    ToEngine,
    Tokenize,
    Tokens,
)
from tutor.lm.distribution import ModelCard, Token


def card(model: str) -> ModelCard:
    return ModelCard("scripted", "", f"checksum of {model}", "", "", 1, 1, 1, 1, 100, 256, True, ())


def send(message: Message) -> None:
    write(frames.pack(message))


def write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def receive() -> ToEngine:
    header = sys.stdin.buffer.read(frames.HEADER)
    if len(header) < frames.HEADER:
        sys.exit(0)
    return frames.request_from(sys.stdin.buffer.read(frames.payload_size(header)))


def tokens(data: bytes) -> tuple[Token, ...]:
    return tuple(Token(byte, chr(byte), bytes([byte])) for byte in data)


def answer(request: AnyRequest, sessions: dict[str, int]) -> Answer:
    """Return the answer to a request. `sessions` has lengths by name."""
    match request:
        case OpenText(id=id_, session=name, text=text):
            sessions[name] = len(text.encode())
            return Opened(id_, tokens(text.encode()))
        case OpenTokens(id=id_, session=name, ids=ids):
            sessions[name] = len(ids)
            return Opened(id_, tokens(bytes(ids)))
        case Tokenize(id=id_, text=text):
            return Tokens(id_, tokens(text.encode()))
        case Append() | AppendTurn() | GoBack() | AskSurprisals() | Fork() if (
            request.session not in sessions
        ):
            return Failed(request.id, "UnknownSession", "No such session.", "")
        case Append(id=id_, session=name, ids=ids):
            sessions[name] += len(ids)
            return Length(id_, sessions[name])
        case AppendTurn(id=id_, session=name, text=text):
            sessions[name] += len(text.encode())
            return Opened(id_, tokens(text.encode()))
        case GoBack(id=id_, session=name, length=length):
            sessions[name] = length
            return Length(id_, length)
        case Fork(id=id_, new_session=new_name, length=length):
            sessions[new_name] = length
            return Length(id_, length)
        case Close(id=id_, session=name):
            sessions.pop(name, None)
            return Length(id_, 0)
        case AskSurprisals(id=id_, session=name, start=start):
            return Surprisals(id_, (float(sessions[name]),) * (sessions[name] - start))
    raise AssertionError(request)


def main(behavior: str, *arguments: str) -> None:
    """Run the engine with one of its behaviors.

    `serve`: behave well. `garbage`: answer with an invalid message. `oversize`: answer with a frame
    of 4 GB. `log`: print something, then serve.
    """
    if behavior == "log":
        print("a warning from a library", file=sys.stderr, flush=True)
    send(Loading("loading"))
    send(Ready(card(model=arguments[-1] if arguments else "")))
    sessions: dict[str, int] = {}
    while True:
        request = receive()
        if isinstance(request, Ping):
            send(Pong())
        elif behavior == "garbage":
            write((3).to_bytes(4, "big") + b"\xc1\xc1\xc1")
        elif behavior == "oversize":
            write(b"\xff\xff\xff\xff")
        elif isinstance(request, PathRequest | SessionQuestion | Tokenize):
            send(answer(request, sessions))


if __name__ == "__main__":
    main(*sys.argv[1:])

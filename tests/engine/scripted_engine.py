"""An engine without a model, for tests of the client: `python scripted_engine.py BEHAVIOR ...`.

Speaks the protocol over standard input and output, with an endless session of one token, and
behaves badly in one way: see `main`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from tutor.engine import frames
from tutor.engine.wire import (
    Append,
    AppendTurn,
    AskSurprisals,
    Cancel,
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
    Ping,
    Pong,
    Ready,
    Request,
    Surprisals,
    ToEngine,
    Tokenize,
    Tokens,
)
from tutor.lm.distribution import ModelCard, Token


def card(model: str) -> ModelCard:
    return ModelCard("scripted", "", f"checksum of {model}", "", "", 1, 1, 1, 1, 100, 256, True, ())


def send(message: Message) -> None:
    sys.stdout.buffer.write(frames.pack(message))
    sys.stdout.buffer.flush()


def receive() -> ToEngine:
    header = sys.stdin.buffer.read(frames.HEADER)
    if len(header) < frames.HEADER:
        sys.exit(0)
    return frames.request_from(sys.stdin.buffer.read(frames.payload_size(header)))


def tokens(data: bytes) -> tuple[Token, ...]:
    return tuple(Token(byte, chr(byte), bytes([byte])) for byte in data)


def answer(request: Request, sessions: dict[str, int]) -> Message:
    """`sessions`: lengths by name."""
    match request:
        case OpenText(id_, name, text):
            sessions[name] = len(text.encode())
            return Opened(id_, tokens(text.encode()))
        case OpenTokens(id_, name, ids):
            sessions[name] = len(ids)
            return Opened(id_, tokens(bytes(ids)))
        case Tokenize(id_, text):
            return Tokens(id_, tokens(text.encode()))
        case Append() | AppendTurn() | GoBack() | AskSurprisals() | Fork() if (
            request.session not in sessions
        ):
            return Failed(request.id, "UnknownSession", "No such session.", "")
        case Append(id_, name, ids):
            sessions[name] += len(ids)
            return Length(id_, sessions[name])
        case AppendTurn(id_, name, text):
            sessions[name] += len(text.encode())
            return Opened(id_, tokens(text.encode()))
        case GoBack(id_, name, length):
            sessions[name] = length
            return Length(id_, length)
        case Fork(id_, name, new_name, length):
            sessions[new_name] = length
            return Length(id_, length)
        case Close(id_, name):
            sessions.pop(name, None)
            return Length(id_, 0)
        case AskSurprisals(id_, name, start):
            return Surprisals(id_, (float(sessions[name]),) * (sessions[name] - start))
    raise AssertionError(request)


def only_pings_until(mark: Path) -> None:
    """As an engine does whose model is busy. After as many pings as would have been taken for
    silence, and half as many again, MARK.pinged is there."""
    pings = 0
    while not mark.exists():
        message = receive()
        assert isinstance(message, Ping)
        send(Pong())
        if (pings := pings + 1) == 12:
            mark.with_suffix(".pinged").touch()


def main(behavior: str, *arguments: str) -> None:
    """`serve`: behave well. `die-first MARK`: die by SIGKILL at the first request of the first
    start. `die-always`: at every start. `silent`: never become ready. `slow-start MARK`: say how
    far loading is until MARK is there. `busy-start MARK`: only answer pings until then.
    `busy MARK`: answer nothing but pings until then. `stop-first MARK`: stop by SIGSTOP at the
    first request of the first start. `miscount`: do the first append twice. `in-a-row MARK N`: as
    soon as MARK is there, answer only when N requests have come.
    `garbage`: answer with what is no message. `oversize`: with a frame of 4 GB. `no-model`: fail
    to load. `other-kind`: answer with the wrong type. `slow`: answer only what is cancelled. `log`:
    print, then serve.
    """
    if behavior == "silent":
        time.sleep(3600)
    if behavior == "no-model":
        send(Loading("looking"))
        send(Failed(0, "ModelNotFound", "There is none.", "Fetch one."))
        sys.exit(1)
    if behavior == "slow-start":
        done = 0
        while not Path(arguments[0]).exists():
            send(Loading("fetching", done := done + 1, 1000))
            time.sleep(0.01)
    if behavior == "busy-start":
        only_pings_until(Path(arguments[0]))
    if behavior == "log":
        print("a warning from a library", file=sys.stderr, flush=True)
    send(Loading("loading"))
    send(Ready(card(model=arguments[-1] if arguments else "")))
    if behavior == "die-always":
        os.kill(os.getpid(), signal.SIGKILL)
    sessions: dict[str, int] = {}
    held: list[Request] = []
    while True:
        request = receive()
        if isinstance(request, Ping):
            send(Pong())
            continue
        if isinstance(request, Cancel):
            if behavior == "slow":
                send(Failed(request.target, "RequestCancelled", "", ""))
                behavior = "serve"
            continue
        match behavior:
            case "die-first" if not Path(arguments[0]).exists():
                Path(arguments[0]).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop-first" if not Path(arguments[0]).exists():
                Path(arguments[0]).touch()
                os.kill(os.getpid(), signal.SIGSTOP)
                send(answer(request, sessions))  # should it ever go on
            case "busy":
                only_pings_until(Path(arguments[0]))
                send(answer(request, sessions))
            case "miscount" if isinstance(request, Append):
                answer(request, sessions)
                send(answer(request, sessions))
                behavior = "serve"
            case "in-a-row" if Path(arguments[0]).exists():
                held.append(request)
                if len(held) == int(arguments[1]):
                    for each in held:
                        send(answer(each, sessions))
                    held.clear()
            case "garbage":
                sys.stdout.buffer.write((3).to_bytes(4, "big") + b"\xc1\xc1\xc1")
                sys.stdout.buffer.flush()
            case "oversize":
                sys.stdout.buffer.write(b"\xff\xff\xff\xff")
                sys.stdout.buffer.flush()
            case "other-kind":
                send(Length(request.id, 1))
            case "slow":
                pass
            case _:
                send(answer(request, sessions))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Test the engine's answers for a llama.cpp model, without a process and without llama.cpp."""

from __future__ import annotations

import io
import threading
from typing import Any

import msgspec

from tests.lm.llamacpp.network_library import NetworkLibrary, llama_model
from tests.tiny_model import TEMPLATE, tiny_model
from tutor.engine import frames
from tutor.engine.inbox import PipeInbox
from tutor.engine.llamacpp_server import LlamaServer
from tutor.engine.wire import (
    Append,
    AppendTurn,
    AskDistribution,
    AskLab,
    AskRows,
    AskSurprisals,
    AskXRay,
    Close,
    DistributionAnswer,
    Failed,
    FindTokens,
    Fork,
    GoBack,
    Length,
    Message,
    OpenChat,
    Opened,
    OpenText,
    OpenTokens,
    Rows,
    Steer,
    Surprisals,
    Tokenize,
    Tokens,
)
from tutor.labs.anatomy.lab import Parts
from tutor.lm.distribution import PLAIN, ChatMessage
from tutor.lm.session import Session


def converse(*messages: Message) -> list[Any]:
    """Return all answers to these messages, which have all arrived before work begins."""
    answers: list[Message] = []
    ended = threading.Event()
    stream = io.BytesIO(b"".join(map(frames.pack, messages)))
    inbox = PipeInbox(stream, answers.append, on_end=ended.set)
    inbox.start()
    assert ended.wait(10)
    model = llama_model(NetworkLibrary(tiny_model()), TEMPLATE)
    server = LlamaServer(model, inbox, answers.append)
    while not inbox.empty():
        server.answer_next()
    return answers


def test_stepping_and_chat_are_answered() -> None:
    answers = converse(
        OpenText(1, "s", "hello"),
        OpenChat(2, "c", (ChatMessage("user", "hello"),)),
        OpenTokens(3, "t", (5, 6, 7)),
        Append(4, "t", (8,)),
        AppendTurn(5, "c", "more"),
        GoBack(6, "t", 2),
        Fork(7, "t", "u", 1),
        Close(8, "u"),
        AskDistribution(9, "t", 2, PLAIN, 0, 3),
        AskRows(10, "t", 1, PLAIN, (9, 4)),
        FindTokens(11, "t", 1, PLAIN, "e", 3),
        AskSurprisals(12, "t", 0),
        Tokenize(13, "<|im_end|>"),
        Steer(14, "t"),
    )
    assert [answer.id for answer in answers] == list(range(1, 15))
    assert [type(answer) for answer in answers] == [
        Opened, Opened, Opened, Length, Opened, Length, Length, Length,
        DistributionAnswer, Rows, Rows, Surprisals, Tokens, Length,
    ]  # fmt: skip
    ours = Session(tiny_model(), [5, 6]).distribution(2, PLAIN, 0, 3)
    assert answers[8].value.drawn.token == ours.drawn.token


def test_what_looks_inside_is_refused_with_the_reason() -> None:
    question = msgspec.msgpack.encode(Parts())
    _, *answers = converse(
        OpenTokens(1, "t", (5, 6, 7)),
        AskXRay(2, "t", 1, 0),
        Steer(3, "t", bytes(4 * 32), 0, 1.0),
        AskLab(4, "b", "anatomy", question),
    )
    assert [type(answer) for answer in answers] == [Failed] * 3
    assert {answer.kind for answer in answers} == {"NotWithLlamaCpp"}
    assert all("llama.cpp runs this model" in answer.happened for answer in answers)

"""Test what must not change, because a screen and a shared engine can have different versions."""

from __future__ import annotations

import inspect
from typing import Any, get_args

import msgspec
import pytest

from tests.engine.test_server import converse
from tutor.engine import frames
from tutor.engine.api import AsyncModelSession, ModelSession
from tutor.engine.inbox import Inbox
from tutor.engine.questions import QUESTIONS
from tutor.engine.wire import (
    AskEngineLoad,
    AskXRay,
    Failed,
    FromEngine,
    Hello,
    Message,
    OpenText,
    SessionQuestion,
    ToEngine,
    kinds,
)
from tutor.errors import EngineError

TO_ENGINE = {
    "OpenText": ("id", "session", "text"),
    "OpenChat": ("id", "session", "messages"),
    "OpenTokens": ("id", "session", "ids", "data"),
    "Append": ("id", "session", "ids", "data"),
    "AppendTurn": ("id", "session", "text"),
    "GoBack": ("id", "session", "length"),
    "Fork": ("id", "session", "new_session", "length"),
    "Close": ("id", "session"),
    "AskDistribution": ("id", "session", "position", "sampler", "seed", "top"),
    "AskRows": ("id", "session", "position", "sampler", "ids"),
    "FindTokens": ("id", "session", "position", "sampler", "query", "limit"),
    "AskSurprisals": ("id", "session", "start"),
    "AskXRay": ("id", "session", "position", "layer", "neighbors"),
    "AskAttribution": ("id", "session", "position", "target", "against"),
    "AskSources": ("id", "session", "position", "layer", "head", "target", "against"),
    "AskOcclusion": ("id", "session", "position", "indexes", "target", "against"),
    "Tokenize": ("id", "text"),
    "AskLab": ("id", "bench", "lab", "question"),
    "Cancel": ("target",),
    "Allow": ("host", "key"),
    "Hello": ("version", "learner"),
    "AskStanding": (),
    "Ping": (),
    "Steer": ("id", "session", "values", "layer", "strength"),
}
FROM_ENGINE = {
    "Opened": ("id", "tokens"),
    "Tokens": ("id", "tokens"),
    "Length": ("id", "length"),
    "DistributionAnswer": ("id", "value"),
    "Rows": ("id", "value"),
    "Surprisals": ("id", "value"),
    "XRayAnswer": ("id", "value"),
    "AttributionAnswer": ("id", "value"),
    "Sources": ("id", "value"),
    "Occlusions": ("id", "value"),
    "LabAnswer": ("id", "answer"),
    "Failed": ("id", "kind", "happened", "next_step"),
    "Loading": ("stage", "done", "total"),
    "Ready": ("model",),
    "Pong": (),
    "Standing": (
        *("version", "model", "learners", "accounts", "sessions", "waiting"),
        *("trainings", "cached", "steps", "together", "busy", "up"),
    ),
}


@pytest.mark.parametrize(("messages", "pinned"), [(ToEngine, TO_ENGINE), (FromEngine, FROM_ENGINE)])
def test_tags_and_the_order_of_fields(messages: Any, pinned: dict[str, tuple[str, ...]]) -> None:
    """A tag is sent before the fields, which are sent in order and without their names."""
    travel = [kind for each in get_args(messages) for kind in kinds(each)]
    assert {kind.__struct_config__.tag: kind.__struct_fields__ for kind in travel} == pinned
    assert all(kind.__struct_config__.array_like for kind in travel)


def test_a_message_is_encoded_as_before() -> None:
    assert msgspec.msgpack.decode(frames.pack(OpenText(7, "s", "x"))[frames.HEADER :]) == [
        *("OpenText", 7, "s", "x")
    ]


def test_every_question_is_in_the_table_and_in_both_protocols() -> None:
    assert set(QUESTIONS) == set(kinds(SessionQuestion))
    for kind, question in QUESTIONS.items():
        asked = ("self", *kind.__struct_fields__[2:])
        for protocol in (ModelSession, AsyncModelSession):
            method = getattr(protocol, question.name)
            assert tuple(inspect.signature(method).parameters) == asked


class FromTheFuture(Message, frozen=True):
    """A message of a newer version."""

    id: int
    session: str


def test_an_unknown_tag_is_answered_with_a_typed_error() -> None:
    answers: list[Message] = []
    Inbox(answers.append).take(frames.pack(FromTheFuture(3, "s"))[frames.HEADER :])
    (answer,) = answers
    assert isinstance(answer, Failed)
    assert (answer.id, answer.kind) == (3, EngineError.__name__)
    assert "FromTheFuture" in answer.happened


def test_an_unknown_answer_is_a_typed_error() -> None:
    with pytest.raises(EngineError, match="FromTheFuture"):
        frames.answer_from(frames.pack(FromTheFuture(3, "s"))[frames.HEADER :])


@pytest.mark.parametrize("greeting", [Hello("1", "me"), AskEngineLoad()])
def test_a_greeting_in_the_middle_is_refused(greeting: Message) -> None:
    (answer,) = converse(greeting)
    assert (answer.id, answer.kind) == (0, EngineError.__name__)


def test_a_request_of_an_older_version_still_gets_the_attention_of_all_layers() -> None:
    older = msgspec.msgpack.encode(["AskXRay", 7, "s", 3, 0])
    assert msgspec.msgpack.decode(older, type=AskXRay) == AskXRay(7, "s", 3, 0, neighbors=True)

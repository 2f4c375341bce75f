"""Test that messages can be encoded and decoded, and that all other data is an error."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.engine import frames
from tutor.engine.wire import (
    MAXIMUM_FRAME,
    AskDistribution,
    Cancel,
    DistributionAnswer,
    OpenText,
    Tokens,
)
from tutor.errors import EngineError, SamplerError
from tutor.lm.distribution import Distribution, Row, SamplerSettings, Token

ROW = Row(1, Token(7, "\ufffd", b"\xff\x00", True), 0.5, -1.5, 0.0, "top-p")


@pytest.mark.parametrize(
    "request_",
    [
        OpenText(1, "s1", "text \x00 \U0001f600"),
        AskDistribution(2, "s1", 3, SamplerSettings(0.5, 1, 0.9, 0.1), -(2**63), 10),
        Cancel(5),
    ],
)
def test_requests_survive(request_: OpenText | AskDistribution | Cancel) -> None:
    frame = frames.pack(request_)
    assert frames.payload_size(frame[:4]) == len(frame) - 4
    assert frames.request_from(frame[4:]) == request_


@pytest.mark.parametrize(
    "answer",
    [
        Tokens(1, (ROW.token,)),
        DistributionAnswer(2, Distribution(3, 9, 1.5, 0.0, 4, (ROW,), ROW)),
    ],
)
def test_answers_survive(answer: Tokens | DistributionAnswer) -> None:
    assert frames.answer_from(frames.pack(answer)[4:]) == answer


@given(st.binary())
def test_any_bytes_are_a_request_or_an_error(payload: bytes) -> None:
    assert isinstance(frames.id_in(payload), int)
    try:
        request = frames.request_from(payload)
    except (EngineError, SamplerError):
        return
    assert frames.request_from(frames.pack(request)[4:]) == request


def test_sampler_settings_out_of_range_have_their_own_error() -> None:
    payload = frames.pack(AskDistribution(2, "s", 3, SamplerSettings(), 0, 1))[4:]
    one, nan = struct.pack(">d", 1.0), struct.pack(">d", math.nan)
    with pytest.raises(SamplerError, match="nan"):
        frames.request_from(payload.replace(one, nan))


def test_the_id_of_an_unreadable_request_is_found() -> None:
    payload = frames.pack(OpenText(77, "s1", "text"))[4:].replace(b"OpenText", b"OpenTaxt")
    with pytest.raises(EngineError, match="invalid request"):
        frames.request_from(payload)
    assert frames.id_in(payload) == 77


def test_a_frame_that_is_too_large_is_an_error() -> None:
    with pytest.raises(EngineError, match="specifies"):
        frames.payload_size((MAXIMUM_FRAME + 1).to_bytes(4, "big"))
    with pytest.raises(EngineError, match="too large"):
        frames.pack(OpenText(1, "s", "x" * MAXIMUM_FRAME))


@pytest.mark.parametrize("request_", [OpenText(1, "s", "\ud800"), Cancel(2**70)])
def test_a_message_that_cannot_be_encoded_is_an_error(request_: OpenText | Cancel) -> None:
    with pytest.raises(EngineError, match="could not be encoded"):
        frames.pack(request_)

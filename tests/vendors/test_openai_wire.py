"""Test that any data from a server becomes pieces, or one kind of error."""

from __future__ import annotations

from contextlib import suppress

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tutor.vendors.openai_wire import Choice, Chunk, Pieces, echo_in
from tutor.vendors.service import Piece

NUMBERS = st.one_of(st.floats(), st.integers(-(2**70), 2**70), st.none(), st.booleans())
TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["bytes:\\xe2\\x82", "bytes:", "\ufffd", "", "a", "\x1b[2J", "\udce2"]),
)
TOPS = st.fixed_dictionaries(
    {"token": TEXTS, "logprob": NUMBERS},
    optional={"bytes": st.one_of(st.none(), st.lists(st.integers(-5, 300), max_size=4))},
)
TOLD = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={
            "content": st.lists(
                st.builds(
                    lambda token, tops: {**token, "top_logprobs": tops},
                    TOPS,
                    st.one_of(st.none(), st.lists(TOPS, max_size=3)),
                ),
                max_size=3,
            ),
            "tokens": st.lists(TEXTS, max_size=4),
            "token_logprobs": st.lists(NUMBERS, max_size=4),
            "top_logprobs": st.lists(
                st.one_of(st.none(), st.dictionaries(TEXTS, NUMBERS, max_size=3)), max_size=4
            ),
        },
    ),
)
CHUNKS = st.fixed_dictionaries(
    {
        "choices": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "delta": st.fixed_dictionaries({}, optional={"content": TEXTS}),
                    "message": st.fixed_dictionaries({}, optional={"content": TEXTS}),
                    "text": TEXTS,
                    "finish_reason": st.one_of(st.none(), TEXTS),
                    "logprobs": TOLD,
                },
            ),
            max_size=2,
        )
    }
)


@given(st.lists(CHUNKS, max_size=4))
def test_pieces_are_valid_for_any_input(events: list[object]) -> None:
    pieces = Pieces()
    found: list[Piece] = []
    with suppress(msgspec.ValidationError):
        for event in events:
            for choice in msgspec.convert(event, Chunk).choices:
                found += pieces.of(choice)
    found += pieces.rest()
    for piece in found:
        assert piece.log_probability is None or piece.log_probability <= 0
        logs = [each.log_probability for each in piece.alternatives]
        assert logs == sorted(logs, reverse=True)
        assert all(value <= 0 for value in logs)
        names = [each.data for each in piece.alternatives]
        assert len(set(names)) == len(names)
        assert all(names)


@given(CHUNKS, st.text(max_size=10))
def test_a_prompt_is_returned_whole_or_not_at_all(event: object, prompt: str) -> None:
    with suppress(msgspec.ValidationError):
        found = echo_in(event, prompt)
        if found is not None:
            wanted = prompt.encode("utf-8", "surrogatepass")
            assert b"".join(piece.data for piece in found.pieces) == wanted
            assert all(piece.log_probability is None for piece in found.without_log_probabilities)


@given(st.text(min_size=1, max_size=12), st.data())
def test_text_that_arrives_in_bytes_is_complete(text: str, data: st.DataObject) -> None:
    raw = text.encode("utf-8", "surrogatepass").replace(b"\xed", b"x")
    whole = raw.decode("utf-8", "replace")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=5)))
    parts = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    pieces = Pieces()
    shown = ""
    for part in parts:
        told = {"content": [{"token": "?", "logprob": -1.0, "bytes": list(part)}]}
        choice = {"delta": {"content": "x"}, "logprobs": told}
        if part:
            for piece in pieces.of(msgspec.convert({"choices": [choice]}, Chunk).choices[0]):
                shown += piece.text
    shown += "".join(piece.text for piece in pieces.rest())
    assert shown == whole


def test_a_whole_answer_has_the_pieces_of_its_stream() -> None:
    told = {"content": [{"token": "Hi", "logprob": -0.5, "top_logprobs": []}]}
    found = [
        list(
            Pieces().of(msgspec.convert({**how, "finish_reason": "stop", "logprobs": told}, Choice))
        )
        for how in ({"delta": {"content": "Hi"}}, {"message": {"content": "Hi"}})
    ]
    assert found[0] == found[1] == [Piece("Hi", b"Hi", -0.5)]

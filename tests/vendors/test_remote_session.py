"""Test steps through texts and conversations on a server against the same model run directly."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.labs.lab_backend import small_model
from tests.vendors.loopback import Handler, Loopback, silent, status
from tests.vendors.model_server import model_server
from tutor.errors import NotAllowed, NotTold, RequestCancelled, StreamBroken, TextError
from tutor.lm.chat import chat_ids, text_ids
from tutor.lm.distribution import PLAIN, ChatMessage, Row, SamplerSettings, Token
from tutor.lm.sampling import distribution as sampled_locally
from tutor.lm.session import Session
from tutor.vendors import shown
from tutor.vendors.catalogue import remote_model
from tutor.vendors.permissions import Permissions
from tutor.vendors.reader import RemoteReader
from tutor.vendors.service import Alternative
from tutor.vendors.session import RemoteSession
from tutor.vendors.vocabulary import ASSISTANT, END, USER, Vocabulary

pytest.importorskip("openai")

TEXT = "The capital of France is"
HELLO = (ChatMessage("user", "What is the capital of France?"),)


@pytest.fixture
def server() -> Iterator[Loopback]:
    with model_server(small_model()) as running:
        yield running


def reader(server: Loopback) -> RemoteReader:
    return RemoteReader(remote_model("openai:small", server.url + "/v1"), Permissions())


def same(rows: tuple[Row, ...], local: tuple[Row, ...]) -> None:
    assert len(rows) == len(local)
    for mine, theirs in zip(rows, local, strict=True):
        ends = theirs.token.id in small_model().tokenizer.end_ids
        assert mine.token.data == (END.data if ends else theirs.token.data)
        assert mine.probability == pytest.approx(theirs.probability, abs=1e-6)


def test_a_text_has_the_model_s_rows(server: Loopback) -> None:
    session = RemoteSession.on_text(reader(server), TEXT)
    local = Session(small_model(), text_ids(small_model(), TEXT))
    found = session.distribution(len(session), PLAIN, 1, 20)
    same(found.rows, local.distribution(len(local), PLAIN, 1, 20).rows)
    assert found.partial
    assert found.hidden_probability == pytest.approx(1 - sum(r.probability for r in found.rows))
    fewer = session.distribution(len(session), PLAIN, 1, 3)
    assert (
        fewer.hidden_probability == found.hidden_probability
    )  # known from the echo, without a request
    assert fewer.left_out > fewer.hidden_probability
    assert found.drawn in found.rows
    assert found.entropy_bits <= local.distribution(len(local), PLAIN, 1, 1).entropy_bits


def test_a_prompt_that_is_echoed_has_its_tokens_and_surprisals(server: Loopback) -> None:
    session = RemoteSession.on_text(reader(server), TEXT)
    local = Session(small_model(), text_ids(small_model(), TEXT))
    mine = [token.data for token in session.tokens]
    assert mine == [token.data for token in local.tokens if not token.special]
    known = session.surprisals()
    assert known[0] is None
    assert known[1:] == pytest.approx(local.surprisals()[-len(known) + 1 :], abs=1e-4)


def test_a_gateway_that_drops_log_probabilities_from_streams() -> None:
    with model_server(small_model(), streams_them=False) as server:
        session = RemoteSession.on_text(reader(server), TEXT)
        local = Session(small_model(), text_ids(small_model(), TEXT))
        for _ in range(3):
            mine = session.distribution(len(session), PLAIN, 1, 20)
            theirs = local.distribution(len(local), PLAIN, 1, 20)
            same(mine.rows, theirs.rows)
            session.append([mine.rows[1].token.id])
            local.append([theirs.rows[1].token.id])
        asked = [each.body.get("stream", False) for each in server.asked if "echo" not in each.body]
        assert asked == [True, False, False, False]


def test_stepping_back_and_forking_repeat_no_request(server: Loopback) -> None:
    session = RemoteSession.on_text(reader(server), TEXT)
    first = session.distribution(len(session), PLAIN, 1, 20)
    session.append([first.rows[1].token.id])
    second = session.distribution(len(session), PLAIN, 1, 20)
    asked = len(server.asked)
    assert session.surprisals()[-1] == pytest.approx(first.rows[1].surprisal_bits)
    fork = session.fork(len(session) - 1)
    session.go_back(len(session) - 1)
    cold = SamplerSettings(0.5, top_k=5)
    assert session.distribution(len(session), PLAIN, 1, 20) == first
    assert fork.distribution(len(fork), cold, 1, 20).kept == 5
    fork.append([first.rows[1].token.id])
    assert fork.distribution(len(fork), PLAIN, 1, 20) == second
    assert len(server.asked) == asked
    assert server.asked[-1].body["prompt"] == TEXT + first.rows[1].token.text


def test_questions_that_a_server_cannot_answer(server: Loopback) -> None:
    session = RemoteSession.on_text(reader(server), TEXT)
    with pytest.raises(NotTold):
        session.find(1, PLAIN, "Paris", 5)
    with pytest.raises(NotTold):
        session.xray(0, 0)
    for refused in (
        lambda: session.attribution(0),
        lambda: session.sources(0, 0, 0),
        lambda: session.occlusion(1, (0,)),
    ):
        with pytest.raises(NotTold, match="internal values"):
            refused()
    rare = session._reader.vocabulary.token(b"zyzzyva")
    (row,) = session.rows(len(session), PLAIN, [rare.id])
    assert math.isnan(row.probability)
    assert math.isnan(row.surprisal_bits)
    half = session._reader.vocabulary.token(b"\xe2\x82")
    session.append([half.id])
    with pytest.raises(TextError, match="middle of a character"):
        session.distribution(len(session), PLAIN, 1, 20)
    session.append([session._reader.vocabulary.token(b"\xac").id])
    assert session.distribution(len(session), PLAIN, 1, 20).rows


def test_a_conversation_on_a_server_that_continues_answers(server: Loopback) -> None:
    session = RemoteSession.on_chat(reader(server), HELLO)
    ids = chat_ids(small_model(), HELLO)
    local = Session(small_model(), ids)
    for place in (0, 2, 1):  # not always the first: also tokens that the model would not choose
        mine = session.distribution(len(session), PLAIN, 1, 20)
        theirs = local.distribution(len(local), PLAIN, 1, 20)
        same(mine.rows, theirs.rows)
        assert not mine.drawn_elsewhere
        session.append([mine.rows[place].token.id])
        begun = b"".join(t.data for t in session.tokens[4:]).decode()
        local.replace([*ids, *small_model().tokenizer.encode(begun)])


@pytest.mark.parametrize("tells", [True, False])
def test_a_conversation_on_a_server_that_does_not(tells: bool) -> None:
    with model_server(small_model(), goes_on=False, tells=tells) as server:
        session = RemoteSession.on_chat(reader(server), HELLO)
        written = []
        while True:
            found = session.distribution(len(session), PLAIN, 1, 20)
            assert found.drawn_elsewhere
            if found.drawn.token != END:
                assert bool(found.rows) is tells
                assert len(found.rows) in (0, 20)
                assert math.isnan(found.drawn.probability) is not tells
            written.append(found.drawn.token.data)
            session.append([found.drawn.token.id])
            if session.ended or len(written) > 40:
                break
        texts = [each for each in written if each != END.data]
        assert b"".join(texts)
        # the whole answer came with one request; its positions can be inspected again
        answers = [asked for asked in server.asked if asked.body["max_tokens"] > 2]
        assert len(answers) == 1
        again = session.distribution(5, PLAIN, 1, 20)
        assert again.drawn.token.data == written[1]
        other = session.fork(5)
        other.go_back(4)
        other.append([other._reader.vocabulary.token(b" otherwise").id])
        with pytest.raises(NotTold, match="you have changed"):
            other.distribution(5, PLAIN, 1, 20)


def test_after_a_restart_an_answer_cannot_be_continued() -> None:
    with model_server(small_model(), goes_on=False) as server:
        before = RemoteSession.on_chat(reader(server), HELLO)
        before.append([before.distribution(4, PLAIN, 1, 20).drawn.token.id])
        after = reader(server)
        path = before.tokens
        after.vocabulary.learn([t.id for t in path], [t.data for t in path])
        session = RemoteSession(after, after.vocabulary.tokens(t.id for t in path))
        with pytest.raises(StreamBroken, match="engine restarted"):
            session.distribution(len(session), PLAIN, 1, 20)
        session.go_back(4)
        assert session.distribution(4, PLAIN, 1, 20).drawn_elsewhere


def test_a_next_message(server: Loopback) -> None:
    session = RemoteSession.on_chat(reader(server), HELLO)
    session.append([session._reader.vocabulary.token(b"Paris").id])
    added = session.append_turn("And of Spain?")
    assert [token for token in added if token.special] == [END, USER, ASSISTANT]
    assert session.distribution(len(session), PLAIN, 1, 20).rows
    assert server.asked[-1].body["messages"] == [
        {"role": "user", "content": HELLO[0].content},
        {"role": "assistant", "content": "Paris"},
        {"role": "user", "content": "And of Spain?"},
    ] or server.asked[-1].body.get("continue_final_message")


def test_nothing_is_sent_to_a_host_that_is_not_allowed() -> None:
    model = remote_model("openai:x", "http://10.255.255.1/v1")
    session = RemoteSession.on_chat(RemoteReader(model, Permissions()), HELLO)
    with pytest.raises(NotAllowed):
        session.distribution(len(session), PLAIN, 1, 20)


def test_cancelling_while_the_server_is_busy(server: Loopback) -> None:
    server.answers = [silent(headers=False)]

    def gone() -> None:
        if server.asked:
            raise RequestCancelled("The request was canceled.")

    with pytest.raises(RequestCancelled):
        RemoteSession.on_text(reader(server), TEXT, gone)


def test_a_server_that_returns_fewer_alternatives(server: Loopback) -> None:
    served = server.answers[0]

    def strict(handler: Handler) -> None:
        if server.asked[-1].body.get("logprobs", 0) > 5:
            status(400, {"error": {"message": "logprobs must be at most 5"}})(handler)
        else:
            served(handler)

    server.answers = [strict]
    session = RemoteSession.on_text(reader(server), TEXT)
    assert len(session.distribution(len(session), PLAIN, 1, 20).rows) == 5


# --- the sampler ------------------------------------------------------------------------------

LOGS = st.lists(st.floats(-12, 0), min_size=1, max_size=20)
SAMPLERS = st.builds(
    SamplerSettings,
    temperature=st.one_of(st.just(0.0), st.floats(0.05, 4)),
    top_k=st.integers(0, 25),
    top_p=st.one_of(st.just(1.0), st.floats(0.05, 0.999)),  # any closer, 32-bit floats round to 1
    min_p=st.floats(0, 1),
)


@given(LOGS, SAMPLERS)
def test_the_sampler_is_the_same_as_for_a_local_model(
    logs: list[float], sampler: SamplerSettings
) -> None:
    logs = sorted(logs, reverse=True)
    # Distinct, so that rounding cannot change ranks, and not exactly at a cut.
    logs = [value - 0.01 * place for place, value in enumerate(logs)]
    vocabulary = Vocabulary()
    names = [f"t{place}".encode() for place in range(len(logs))]
    mine = shown.distribution(
        [Alternative(name, value) for name, value in zip(names, logs, strict=True)],
        sampler,
        position=3,
        seed=5,
        top=20,
        token_of=vocabulary.token_of,
    )
    theirs = sampled_locally(
        torch.tensor(logs),
        sampler,
        position=3,
        seed=5,
        top=20,
        token_of=lambda id_: Token(id_, "", names[id_]),
    )
    if abs(mine.kept - theirs.kept) == 1 and not sampler.greedy:
        return  # 32-bit floats may reach top-p one token earlier or later
    assert mine.kept == theirs.kept
    for row, other in zip(mine.rows, theirs.rows, strict=True):
        assert row.sampled_probability == pytest.approx(other.sampled_probability, abs=1e-5)
        assert row.cut == other.cut
    assert mine.drawn.sampled_probability > 0


def test_the_draw_follows_the_probabilities() -> None:
    told = [Alternative(b"a", math.log(0.6)), Alternative(b"b", math.log(0.2))]
    vocabulary = Vocabulary()
    drawn = [
        shown.distribution(
            told, PLAIN, position=1, seed=seed, top=2, token_of=vocabulary.token_of
        ).drawn.token.data
        for seed in range(4000)
    ]
    # Only 0.6 and 0.2 are shown, so the odds are three to one; within five standard deviations.
    assert abs(drawn.count(b"a") / 4000 - 0.75) < 5 * math.sqrt(0.75 * 0.25 / 4000)
    assert any(one != other for one, other in pairwise(drawn))


# --- tokens ------------------------------------------------------------------------------------


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=20))
def test_ids_mean_the_same_in_every_process(data: list[bytes]) -> None:
    one, other = Vocabulary(), Vocabulary()
    tokens = [one.token(each) for each in data]
    ids = [token.id for token in tokens]
    assert all(token.id < 2**63 for token in tokens)
    other.learn(ids, data)
    assert other.tokens(ids) == tuple(tokens)


def test_an_id_that_does_not_match_its_bytes_is_ignored() -> None:
    vocabulary = Vocabulary()
    vocabulary.learn([END.id, 12345], [b"Paris", b"Paris"])
    assert vocabulary.tokens([END.id]) == (END,)
    with pytest.raises(TextError):
        vocabulary.tokens([12345])


def test_the_server_reports_the_probability_of_its_own_draw() -> None:
    vocabulary = Vocabulary()
    found = shown.distribution(
        [Alternative(b"a", math.log(0.6))],
        PLAIN,
        position=1,
        seed=0,
        top=20,
        token_of=vocabulary.token_of,
        drawn=vocabulary.token(b"rare"),
        drawn_log=math.log(0.01),
    )
    assert found.drawn_elsewhere
    assert found.drawn.rank == 2
    assert found.drawn.surprisal_bits == pytest.approx(-math.log2(0.01))

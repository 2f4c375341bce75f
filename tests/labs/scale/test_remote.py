"""Test the scale ladder on remote models: a server of the small model, and failing servers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.labs.lab_backend import backend, done, settled, small_model
from tests.vendors import conftest as remote_tests
from tests.vendors.loopback import Loopback, silent, status, stream, text_event, whole
from tests.vendors.model_server import model_server
from tutor.errors import LabError
from tutor.labs.kit.actions import Choose, EditText
from tutor.labs.kit.progress import Coming
from tutor.labs.kit.remote import Add, Remove
from tutor.labs.scale import lab
from tutor.labs.scale.lab import Agree, State
from tutor.labs.scale.questions import Reading
from tutor.labs.scale.remote_reading import NOTHING_SENT, Glance, Remote

pytest.importorskip("openai")

server = remote_tests.server  # a fixture
TEXT = "The capital of Mongolia is"
TOP = [(" and", -0.5), (",", -1.5)]
FOLLOWING = stream(text_event(" and", "length", [(" and", -0.5, TOP)]))


def reading(server: Loopback, folder: Path, text: str = TEXT) -> tuple[State, Any]:
    """Return the state after local models and this server have read `text`."""
    there: Any = backend("scale", folder)
    state = done(
        "scale", there, EditText(text), Add("openai:there", server.url + "/v1"), Agree(True)
    )
    return state, there


def read_here(state: State) -> Reading:
    found = state.readings["loaded"]
    assert found is not None
    return found


def glance(state: State) -> Glance:
    found: Glance | None = state.remote.glance
    assert found is not None
    return found


def test_a_server_returns_what_the_same_model_computes_locally(tmp_path: Path) -> None:
    with model_server(small_model()) as server:
        state, _ = reading(server, tmp_path)
    here, there = read_here(state), glance(state)
    assert there.bits == pytest.approx(here.bits, rel=1e-4)
    assert there.bits_a_byte == pytest.approx(here.bits_a_byte, rel=1e-4)
    assert there.perplexity == pytest.approx(here.perplexity, rel=1e-3)
    assert there.pieces == here.pieces
    assert [each.data for each in there.shown[:5]] == [guess.data for guess in here.best[:5]]
    shares = [each.probability for each in there.shown]
    assert there.hidden == pytest.approx(1 - sum(shares))
    assert there.least_entropy is not None
    assert 0 < there.least_entropy < here.entropy
    asked = [(each.path, each.body["prompt"], each.body.get("echo")) for each in server.asked]
    path = "/v1/completions"
    assert asked == [(path, "\n" + TEXT, None), (path, "\n" + TEXT, True)]


def test_a_text_that_the_model_ends_at_once(tmp_path: Path) -> None:
    """The server returns no next token, but still the surprisal of the text."""
    with model_server(small_model()) as server:
        state, _ = reading(server, tmp_path, TEXT + " Ulaanbaatar.")
    here, found = read_here(state), glance(state)
    assert here.best[0].data == b"<|im_end|>"
    assert found.shown == ()
    assert (found.hidden, found.least_entropy) == (None, None)
    assert found.bits == pytest.approx(here.bits, rel=1e-4)


@pytest.mark.parametrize(
    ("echo", "pieces", "silence"),
    [
        (status(400, {"error": {"message": "no logprobs with echo"}}), None, ""),
        (status(429, {"error": {"message": "slow down"}}), None, "Too many requests"),
        (whole(text_event("x", "length")), None, ""),
        # shifted by one position, as by llama.cpp's server for Python
        (whole(text_event("\nab", "length", [("\n", 0.0, []), ("ab", -3.0, [])])), 1, ""),
        # a token that begins before the text
        (
            whole(
                text_event("\nab", "length", [("\na", 0.0, []), ("b", -3.0, []), ("c", -1.0, [])])
            ),
            None,
            "",
        ),
    ],
)
def test_surprisal_that_a_server_does_not_return(
    server: Loopback, tmp_path: Path, echo: Any, pieces: int | None, silence: str
) -> None:
    server.answers = [FOLLOWING, echo]
    state, _ = reading(server, tmp_path, "ab")
    found = glance(state)
    assert (found.bits, found.bits_a_byte, found.perplexity) == (None, None, None)
    assert found.pieces == pieces
    assert found.silence.startswith(silence)
    assert bool(found.silence) == bool(silence)
    assert [each.data for each in found.shown] == [b" and", b","]
    assert found.hidden == pytest.approx(1 - math.exp(-0.5) - math.exp(-1.5))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (status(401, {"error": {"message": "no"}}), "The API key was rejected"),
        (status(404), "does not have this model"),
        (stream(text_event(" and", "length")), "returns no log-probabilities"),
    ],
)
def test_a_failing_server_is_refused_with_a_reason_and_can_be_asked_again(
    server: Loopback, tmp_path: Path, answer: Any, why: str
) -> None:
    server.answers = [answer]
    state, there = reading(server, tmp_path, "ab")
    assert why in str(state.remote.refused)
    assert lab.question(state) is None
    assert read_here(state).bits > 0
    server.answers = [FOLLOWING, status(404)]
    again = settled(lab.LAB, lab.act(state, Agree(True)), there)
    assert again.remote.refused is None
    assert glance(again).shown


def test_nothing_is_sent_before_the_learner_agrees(server: Loopback, tmp_path: Path) -> None:
    there: Any = backend("scale", tmp_path)
    state = done("scale", there, Add("openai:there", server.url + "/v1"))
    assert state.remote.undecided
    declined = settled(lab.LAB, lab.act(state, Agree(False)), there)
    assert declined.remote.refused == NOTHING_SENT
    other = settled(lab.LAB, lab.act(declined, EditText("ab")), there)
    assert other.remote.refused == NOTHING_SENT
    assert server.asked == []
    away = done("scale", there, Add("openai:x", "http://192.0.2.1/v1"), Agree(True))
    assert "not agreed" in str(away.remote.refused)  # the engine was not told


def test_o_goes_through_servers_too_and_one_can_be_removed(tmp_path: Path) -> None:
    state = done("scale", backend("scale", tmp_path))
    state = msgspec.structs.replace(state, others=("installed",))
    for name in ("one", "two"):
        state = lab.act(state, Add(f"openai:{name}", "http://127.0.0.1:1/v1"))
    assert state.remote.server is not None
    assert state.remote.server.name == "two"
    assert state.other is None
    seen = []
    for _ in range(4):
        state = lab.act(state, Choose(1, "other"))
        seen.append(state.other or (state.remote.server and state.remote.server.name))
        state = msgspec.structs.replace(state, others=("installed",))  # as listed again
    assert seen == [None, "installed", "one", "two"]
    state = lab.act(state, Remove())
    assert [each.name for each in state.remote.servers] == ["one"]
    assert state.remote.server is None


def test_another_text_is_sent_to_the_server(tmp_path: Path) -> None:
    with model_server(small_model()) as server:
        state, there = reading(server, tmp_path)
        longer = settled(lab.LAB, lab.act(state, EditText(TEXT + " It is cold.")), there)
        assert glance(longer).bits == pytest.approx(read_here(longer).bits, rel=1e-4)
        assert glance(longer).byte_count > glance(state).byte_count


def test_a_request_is_canceled_when_no_longer_wanted(server: Loopback, tmp_path: Path) -> None:
    server.answers = [silent()]
    there: Any = backend("scale", tmp_path)
    state = done("scale", there, EditText("ab"))
    state = lab.act(lab.act(state, Add("openai:there", server.url + "/v1")), Agree(True))
    question = lab.question(state)
    assert question is not None
    waiting = lab.receive(state, question, there.answer(question))
    assert isinstance(waiting.coming, Coming)
    none = settled(lab.LAB, lab.act(waiting, Choose(1, "other")), there)
    assert none.remote == Remote(state.remote.servers)
    assert there._remote_reader._runs.look("next").trouble.kind == "RequestCancelled"


def test_a_service_without_log_probabilities_says_so(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="Gemini returns no log-probabilities"):
        lab.act(lab.State(), Add("gemini:"))


def test_the_rung_of_a_remote_model_has_no_numbers(tmp_path: Path) -> None:
    state = done("scale", backend("scale", tmp_path), Add("openai:there", "http://127.0.0.1:1/v1"))
    rungs = lab.ladder(state)
    (rung,) = (rung for rung in rungs if rung.remote)
    assert rungs.index(rung) == len(state.readers)
    assert (rung.parameters, rung.bytes, rung.tokens, rung.compute) == (None,) * 4
    assert not rung.here

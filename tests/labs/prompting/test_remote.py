"""Test the prompting lab on remote models: a server of the small model, and failing ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.labs.few_prompts import KEPT, few_prompts
from tests.labs.lab_backend import backend, settled, small_model
from tests.vendors import conftest as remote_tests
from tests.vendors.loopback import (
    Loopback,
    broken,
    chat_event,
    silent,
    status,
    stream,
    text_event,
    usage_event,
)
from tests.vendors.model_server import model_server
from tutor.errors import LabError
from tutor.labs.kit.actions import Adjust, Choose, EditText, MoveFocus, Run, ShowView
from tutor.labs.kit.prompts.questions import Read, Sent, Stop, Try
from tutor.labs.kit.prompts.scores import score
from tutor.labs.kit.prompts.tasks import tasks
from tutor.labs.kit.prompts.version import assemble
from tutor.labs.kit.remote import Add, Remove
from tutor.labs.prompting import lab
from tutor.labs.prompting.lab import Action, Recall, State
from tutor.labs.prompting.remote import plan
from tutor.labs.prompting.remote_backend import label_shares
from tutor.vendors.service import Alternative

pytest.importorskip("openai")

server = remote_tests.server  # a fixture
ITEMS = KEPT["items"]
TOP = [("May", -0.5), ("June", -1.5)]


@pytest.fixture(autouse=True)
def few(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    yield from few_prompts(tmp_path_factory.mktemp("few"), monkeypatch)


@pytest.fixture
def there(tmp_path: Path) -> Any:
    return backend("prompting", tmp_path)


def remote_state(server: Loopback, *actions: Any) -> State:
    state = lab.act(lab.start(), Add("openai:there", server.url + "/v1"))
    for action in actions:
        state = lab.act(state, action)
    return state


def said(text: str = "May", told: Any = (("May", -0.5, TOP),)) -> Any:
    return stream(chat_event(text, told=told), chat_event("", "stop"), usage_event(30, 1))


def test_a_server_gets_the_same_results_as_the_same_model_locally(there: Any) -> None:
    # sentiment
    actions: tuple[Action, ...] = (Choose(-5, "task"), Adjust(2, "examples"), Run())
    here = lab.start()
    for action in actions:
        here = settled(lab.LAB, lab.act(here, action), there)
    with model_server(small_model()) as server:
        state = settled(lab.LAB, remote_state(server, *actions), there)
    assert len(server.asked) == 2 * ITEMS
    for side in (0, 1):
        for item in range(ITEMS):
            mine, theirs = state.tried(side, item), here.tried(side, item)
            assert mine is not None
            assert theirs is not None
            assert (mine.written, mine.tokens) == (theirs.written, theirs.tokens)
            assert mine.rows[0].probability == pytest.approx(theirs.rows[0].probability, rel=1e-3)
            for share, true in zip(mine.labels, theirs.labels, strict=True):
                assert share <= true + 1e-6  # only tokens that the server shows count
            assert mine.hidden is not None
            assert 0 < mine.hidden < 1


def test_each_item_is_one_request_with_the_conversation(server: Loopback, there: Any) -> None:
    server.answers = [said()]
    state = settled(lab.LAB, remote_state(server, Adjust(1, "examples"), Run()), there)
    task = tasks()["month"]
    prompts = [assemble(side, task, item) for side in state.sides for item in task.items]
    assert [asked.body["messages"] for asked in server.asked] == [
        [{"role": m.role, "content": m.content} for m in prompt.messages] for prompt in prompts
    ]
    assert {asked.body["max_tokens"] for asked in server.asked} == {task.most_tokens}
    assert {asked.body["top_logprobs"] for asked in server.asked} == {20}
    tried = state.tried(0, 0)
    assert tried is not None
    assert (tried.written, tried.tokens, tried.ended) == ("May", 30, True)
    assert tried.hidden == pytest.approx(1 - math.exp(-0.5) - math.exp(-1.5))


def test_moving_the_focus_sends_nothing(server: Loopback, there: Any) -> None:
    state = remote_state(
        server, Adjust(1, "examples"), EditText("Be brief.", "role"), ShowView("items")
    )
    state = settled(lab.LAB, lab.act(lab.act(state, MoveFocus(2, "row")), Choose(1, "task")), there)
    read = settled(lab.LAB, lab.act(state, ShowView("prompt")), there)
    assert read.reading is not None
    assert read.reading[1].tokens is None
    whole = "".join(each.text for each in read.reading[1].stretches if not each.special)
    assert "Be brief." in whole
    assert server.asked == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (status(429, {"error": {"message": "slow"}}, retry_after="20"), "RateLimited"),
        (status(401, {"error": {"message": "no"}}), "KeyRefused"),
        (status(503), "ServerFailed"),
        (broken(chat_event("Ma")), "StreamBroken"),
        (stream(chat_event(finish="length")), "AnswerCut"),
    ],
)
def test_a_failure_stops_the_run_and_keeps_the_results(
    server: Loopback, there: Any, answer: Any, kind: str
) -> None:
    server.answers = [said(), said(), answer]
    state = settled(lab.LAB, remote_state(server, Run()), there)
    assert not state.running
    assert state.trouble is not None
    assert state.trouble.kind == kind
    assert (state.progress.done, state.progress.total) == (2, ITEMS)
    assert len(server.asked) == 3  # no request is repeated automatically
    assert plan(state.trials, state.results).requests == ITEMS - 2
    server.answers = [said()]
    again = settled(lab.LAB, lab.act(state, Run()), there)
    assert again.trouble is None
    assert again.complete
    assert len(server.asked) == 3 + ITEMS - 2


def test_an_empty_answer_is_a_format_error(server: Loopback, there: Any) -> None:
    server.answers = [stream(chat_event(finish="stop"))]
    state = settled(lab.LAB, remote_state(server, Run()), there)
    assert state.trouble is None
    assert score(state.results, state.trials[0]).form == ITEMS


def one_answer(state: State, there: Any) -> State:
    """Return the state after its next question is answered."""
    asked = lab.question(state)
    assert asked is not None
    return lab.receive(state, asked, there.answer(asked))


def test_a_run_stops_at_once_and_continues(server: Loopback, there: Any) -> None:
    server.answers = [said(), silent(chat_event("Ma"))]
    state = remote_state(server, Run())
    while state.progress.done < 1 or state.sent is None:
        state = one_answer(state, there)
    stopped = lab.act(state, Run())
    assert lab.question(stopped) == Stop()
    stopped = settled(lab.LAB, stopped, there)
    assert (stopped.sent, stopped.progress.done, stopped.trouble) == (None, 1, None)
    assert there._remote._runs.look("item").trouble.kind == "RequestCancelled"
    server.answers = [said()]
    assert settled(lab.LAB, lab.act(stopped, Run()), there).complete


def test_an_answer_that_was_not_received_is_not_requested_again(
    server: Loopback, there: Any
) -> None:
    server.answers = [said()]
    state = remote_state(server, Run())
    asked = lab.question(state)
    while isinstance(there.answer(asked), Sent):
        pass
    assert there.answer(asked) == there.answer(asked)
    assert len(server.asked) == 1


def test_a_new_backend_does_not_repeat_a_request(
    server: Loopback, there: Any, tmp_path: Path
) -> None:
    server.answers = [silent()]
    state = remote_state(server, Run())
    while state.sent is None or not server.asked:
        state = one_answer(state, there)
    restarted = settled(lab.LAB, state, backend("prompting", tmp_path))
    assert restarted.trouble is not None
    assert restarted.trouble.kind == "StreamBroken"
    assert len(server.asked) == 1


def test_probabilities_that_a_server_does_not_return(server: Loopback, there: Any) -> None:
    refused = status(400, {"error": {"message": "logprobs is not supported"}})
    server.answers = [refused, refused, said(told=())]
    state = settled(lab.LAB, remote_state(server, Choose(-5, "task"), Run()), there)
    tried = state.tried(0, 0)
    assert tried is not None
    assert (tried.rows, tried.labels, tried.hidden) == ((), (), None)
    assert score(state.results, state.trials[0]).by_share is None
    assert len(server.asked) == 2 + ITEMS  # probabilities are not requested again once refused
    server.asked.clear()
    server.answers = [said()]
    hot = settled(lab.LAB, lab.act(lab.act(state, Adjust(2, "temperature")), Run()), there)
    assert "top_logprobs" not in server.asked[0].body
    assert server.asked[0].body["temperature"] == hot.version.temperature
    assert [asked.body["seed"] for asked in server.asked] == list(range(ITEMS))


def test_plain_text_is_continued(server: Loopback, there: Any) -> None:
    told = [(" May", -0.5, TOP), ("\n", -0.1, []), ("And", -0.1, [])]
    server.answers = [stream(text_event(" May\nAnd", "length", told))]
    state = settled(lab.LAB, remote_state(server, Adjust(1, "frame"), Run()), there)
    tried = state.tried(1, 0)
    assert tried is not None
    assert tried.ended
    assert server.asked[-1].path == "/v1/completions"
    assert server.asked[-1].body["prompt"].endswith("Month:")


def test_a_version_that_cannot_be_sent_is_refused_before_the_run(server: Loopback) -> None:
    with pytest.raises(LabError, match="An answer prefix"):
        lab.act(remote_state(server, Adjust(1, "begin")), Run())
    known = lab.act(lab.act(lab.start(), Add("claude:")), Adjust(1, "frame"))
    with pytest.raises(LabError, match="not text completion"):
        lab.act(known, Run())


def test_nothing_is_sent_to_a_host_without_consent(there: Any) -> None:
    state = lab.act(lab.start(), Add("openai:x", "http://192.0.2.1/v1"))
    state = settled(lab.LAB, lab.act(state, Run()), there)
    assert state.trouble is not None
    assert state.trouble.kind == "NotAllowed"


def test_the_plan_has_the_cost_by_the_dated_price() -> None:
    state = lab.act(lab.act(lab.start(), Add("claude:")), Adjust(2, "examples"))
    found = plan(state.trials, state.results)
    assert state.server is not None
    price = state.server.price
    assert price is not None
    assert (found.requests, found.as_of) == (2 * ITEMS, price.as_of)
    letters = sum(
        len(message.content)
        for side in state.sides
        for item in tasks()["month"].items
        for message in assemble(side, tasks()["month"], item).messages
    )
    assert found.about is not None
    assert found.most is not None
    sent = price.cost(letters // 4, 0)
    written = price.cost(0, 2 * ITEMS * tasks()["month"].most_tokens)
    assert sent + written < found.about < 2 * (sent + written)
    assert found.about < found.most
    assert plan(lab.act(state, Add("claude:another")).trials, {}).about is None


def test_scores_of_two_models_are_kept_separately(server: Loopback, there: Any) -> None:
    server.answers = [said()]
    state = settled(lab.LAB, remote_state(server, Run()), there)
    local = settled(lab.LAB, lab.act(lab.act(state, Remove()), Run()), there)
    assert len(local.scored) == 2
    assert local.server is None
    assert score(local.results, local.trials[0]) != score(state.results, state.trials[0])
    looked = lab.act(lab.act(local, ShowView("versions")), MoveFocus(-5, "row"))
    assert lab.act(looked, Recall()).server == state.server
    assert lab.LAB.reached(local) <= {"no-format-error"}  # versions on two models are not compared


def test_label_probabilities_are_sums_over_their_first_tokens() -> None:
    def shown(**tokens: float) -> list[Alternative]:
        return [Alternative(t.replace("_", " ").encode(), math.log(p)) for t, p in tokens.items()]

    labels = ("positive", "negative", "neutral")
    found = label_shares(labels, shown(_pos=0.3, Positive=0.1, ne=0.2, _N=0.05, Neg=0.1, x=0.1))
    assert found == pytest.approx((0.4, 0.1, 0.0))


def test_showing_the_prompt_does_not_lose_a_pending_request(server: Loopback, there: Any) -> None:
    server.answers = [silent()]
    state = remote_state(server, Run())
    while state.sent is None:
        state = one_answer(state, there)
    looked = lab.act(state, ShowView("prompt"))
    asked = lab.question(looked)
    assert isinstance(asked, Read)
    looked = lab.receive(looked, asked, there.answer(asked))
    assert lab.question(looked) == msgspec.structs.replace(state.sent, sent=True)
    assert isinstance(state.sent, Try)

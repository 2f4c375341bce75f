"""Test the lab that compares models: the small local one, and a server on the loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.labs.lab_backend import backend, small_model
from tests.vendors import conftest as remote_tests
from tests.vendors.loopback import (
    Loopback,
    broken,
    chat_event,
    silent,
    status,
    stream,
    usage_event,
)
from tutor.errors import LabError, UsageError
from tutor.labs.compare import lab
from tutor.labs.compare.lab import Ask, Go, Model, Reply, State, cost
from tutor.labs.kit.actions import Adjust, EditText, MoveFocus, Toggle
from tutor.labs.kit.remote import Add, Remove
from tutor.lm.chat import chat_ids
from tutor.lm.distribution import ChatMessage
from tutor.lm.session import Session
from tutor.vendors.catalogue import Price, remote_model
from tutor.vendors.runs import ErrorReport

server = remote_tests.server  # a fixture


@pytest.fixture
def there(tmp_path: Path) -> Any:
    return backend("compare", tmp_path)


def settled(state: State, there: Any, until: Any = lambda state: False) -> State:
    while not until(state) and (question := lab.question(state)) is not None:
        state = lab.receive(state, question, there.answer(question))
    return state


def with_server(server: Loopback, there: Any, *, alone: bool = True) -> State:
    """The lab with a model of this server chosen."""
    state = settled(lab.State(), there)
    if alone:
        state = lab.act(state, Toggle("model"))  # leave out the local one
    return lab.act(state, Add("openai:some-model", server.url + "/v1"))


def reply(state: State) -> Reply:
    return state.replies[len(state.models) - 1]


def test_local_models_come_first_and_only_they_are_chosen(there: Any) -> None:
    state = settled(lab.State(), there)
    assert state.names[0] == small_model().card.name
    assert [model.here for model in state.models][:2] == [
        "loaded",
        None,
    ]  # loaded and small are the same model
    assert state.chosen == (0,)
    assert not any(model.key for model in state.models[1:])


def test_a_local_answer_at_temperature_zero_is_greedy(there: Any) -> None:
    state = lab.act(settled(lab.State(), there), EditText("What is the capital of Kenya?"))
    state = settled(lab.act(state, Ask()), there)
    said = state.replies[0]
    prompt = chat_ids(small_model(), [ChatMessage("user", state.prompt)])
    session = Session(small_model(), prompt)
    for id_ in said.ids:
        assert id_ == int(session.logits(len(session)).argmax())
        session.append([id_])
    assert int(session.logits(len(session)).argmax()) in small_model().tokenizer.end_ids
    assert "Nairobi" in said.text
    assert (said.reason, said.prompt_tokens, said.answer_tokens) == (
        "stop",
        len(prompt),
        len(said.ids),
    )
    assert 0 < (said.first_after or 0) <= said.seconds


def test_the_answer_does_not_depend_on_how_the_work_is_divided(there: Any, tmp_path: Path) -> None:
    state = lab.act(settled(lab.State(), there), Adjust(1, "temperature"))
    at_once = settled(lab.act(state, Ask()), there)
    divided = settled(lab.act(state, Ask()), backend("compare", tmp_path, moment=0.0))
    assert at_once.replies[0].text == divided.replies[0].text


def test_the_server_counts_the_tokens_of_its_answer(server: Loopback, there: Any) -> None:
    server.answers = [
        stream(chat_event("Nai"), chat_event("robi."), chat_event("", "stop"), usage_event(12, 5))
    ]
    state = settled(lab.act(with_server(server, there), Ask()), there)
    assert reply(state).text == "Nairobi."
    assert (reply(state).prompt_tokens, reply(state).answer_tokens) == (12, 5)
    assert reply(state).reason == "stop"
    assert reply(state).a_second == pytest.approx(5 / reply(state).seconds)
    body = server.asked[0].body
    assert body["messages"] == [{"role": "user", "content": state.prompt}]
    assert body["model"] == "some-model"
    assert len(server.asked) == 1


def test_a_local_and_a_remote_model_are_asked_at_once(server: Loopback, there: Any) -> None:
    server.answers = [stream(chat_event("The capital is Nairobi."), chat_event("", "stop"))]
    state = with_server(server, there, alone=False)
    state = lab.act(state, EditText("What is the capital of Kenya?"))
    state = settled(lab.act(state, Ask()), there)
    assert len(state.done) == 2
    assert lab.words_in_common(state, *state.done) == {"nairobi"}
    assert "agree" in lab.LAB.reached(state)


@pytest.mark.parametrize(
    ("answer", "kind", "kept"),
    [
        (status(401, {"error": {"message": "no"}}), "KeyRefused", ""),
        (status(429, {"error": {"message": "slow"}}), "RateLimited", ""),
        (status(500), "ServerFailed", ""),
        (broken(chat_event("The capital of")), "StreamBroken", "The capital of"),
    ],
)
def test_a_failure_keeps_its_kind_and_the_text_that_arrived(
    answer: Any, kind: str, kept: str, server: Loopback, there: Any
) -> None:
    server.answers = [answer]
    state = settled(lab.act(with_server(server, there, alone=False), Ask()), there)
    trouble = reply(state).trouble
    assert trouble is not None
    assert trouble.kind == kind
    assert reply(state).text == kept
    assert state.replies[0].reason == "stop"  # the other model still answers
    assert not state.running


def test_stopping_keeps_what_arrived_and_cancels_the_request(server: Loopback, there: Any) -> None:
    server.answers = [silent(chat_event("Once upon"))]
    state = lab.act(with_server(server, there), Ask())
    state = settled(state, there, until=lambda state: reply(state).text)
    state = settled(lab.act(state, Ask()), there)
    assert not state.running
    assert not state.stopping
    assert reply(state).text == "Once upon"
    place = len(state.models) - 1
    left = Go(state.run, state.asked, 0, ((place, state.models[place], reply(state)),))
    assert there.answer(left).replies[place].trouble.kind == "RequestCancelled"


def test_nothing_is_sent_to_a_host_without_consent(there: Any) -> None:
    remote = remote_model("openai:x", "http://192.0.2.1/v1")
    question = Go(1, "Hello", 0, ((0, Model(remote=remote), Reply()),))
    said = there.answer(question).replies[0]
    assert said.trouble.kind == "NotAllowed"
    state = lab.act(settled(lab.State(), there), Add("openai:x", "http://192.0.2.1/v1"))
    asked = lab.act(state, Ask(without=(len(state.models) - 1,)))
    assert set(asked.replies) == {0}


def test_cost_follows_from_the_dated_price() -> None:
    known = remote_model("claude:")
    assert known.price is not None
    priced = Model(remote=known)
    assert cost(priced, Reply(prompt_tokens=1000, answer_tokens=100)) == pytest.approx(
        (known.price.prompt * 1000 + known.price.answer * 100) / 1e6
    )
    assert cost(priced, Reply(prompt_tokens=1000)) is None
    assert cost(Model(here="loaded"), Reply(prompt_tokens=1, answer_tokens=1)) is None
    assert isinstance(known.price, Price)


def test_at_most_four_models_are_chosen_and_none_without_its_key(there: Any) -> None:
    state = settled(lab.State(), there)
    with pytest.raises(LabError, match="no API key"):
        lab.act(lab.act(state, MoveFocus(1, "model")), Toggle("model"))
    for number in range(4):
        state = lab.act(state, Add(f"openai:m{number}", "http://127.0.0.1:1/v1"))
    assert len(state.chosen) == lab.MOST_MODELS
    with pytest.raises(LabError, match="up to four"):
        lab.act(state, Toggle("model"))
    with pytest.raises(UsageError):
        lab.act(state, Add("nonsense", "http://127.0.0.1:1/v1"))


def test_a_removed_server_loses_its_reply_and_the_others_keep_theirs(
    server: Loopback, there: Any
) -> None:
    server.answers = [stream(chat_event("Nairobi."), chat_event("", "stop"))]
    state = with_server(server, there, alone=False)
    state = lab.act(state, Add("openai:another", server.url + "/v1"))
    state = settled(lab.act(state, Ask()), there)
    last = len(state.models) - 1
    assert set(state.replies) == {0, last - 1, last}
    left = lab.act(lab.act(state, MoveFocus(-1, "model")), Remove())
    assert left.names == (*state.names[:-2], state.names[-1])
    assert left.chosen == (0, last - 1)
    assert left.replies == {0: state.replies[0], last - 1: state.replies[last]}
    assert left.focus == last - 2
    assert not left.removable  # bundled models stay
    with pytest.raises(LabError, match="can't be removed"):
        lab.act(left, Remove())


def test_no_server_can_be_removed_during_a_run(server: Loopback, there: Any) -> None:
    server.answers = [silent(chat_event("Once upon"))]
    asked = lab.act(with_server(server, there), Ask())
    with pytest.raises(LabError, match="when nothing is running"):
        lab.act(asked, Remove())
    stopped = settled(lab.act(asked, Ask()), there)
    assert lab.act(stopped, Remove()).models == stopped.models[:-1]


def test_replies_to_an_earlier_prompt_are_outdated(there: Any) -> None:
    state = settled(lab.act(settled(lab.State(), there), Ask()), there)
    assert not state.outdated
    written = lab.act(state, EditText("What is a cat?"))
    assert written.outdated
    assert not lab.act(written, Ask()).outdated
    hotter = lab.act(state, Adjust(1, "temperature"))
    assert hotter.outdated
    assert not lab.act(hotter, Adjust(-1, "temperature")).outdated
    again = lab.question(lab.act(lab.act(hotter, Ask()), Adjust(1, "temperature")))
    assert isinstance(again, Go)
    assert again.temperature == lab.TEMPERATURES[1]  # a run keeps the temperature it began with


def test_an_empty_prompt_is_refused_and_a_long_one_is_cut(there: Any) -> None:
    with pytest.raises(LabError):
        lab.act(lab.State(), EditText("  "))
    assert len(lab.act(lab.State(), EditText("x" * 5000)).prompt) == lab.LONGEST


def test_each_goal_is_reached_by_its_kind_of_replies() -> None:
    def asked(*texts: str, reason: Any = "stop") -> State:
        replies = {place: Reply(text=text, reason=reason) for place, text in enumerate(texts)}
        return State(asked="What is the capital of Kenya?", replies=replies)

    assert lab.LAB.reached(asked("It is Nairobi", "Nairobi.")) == {"agree"}
    assert lab.LAB.reached(asked("The capital: Nairobi", "The capital: Lagos")) == {"disagree"}
    assert lab.LAB.reached(asked("Nairobi", "", reason="stop")) == frozenset()
    assert lab.LAB.reached(asked("Nairobi", "Nairobi", reason=None)) == frozenset()
    both = {0: Reply(text="a", reason="stop"), 1: Reply(text="b", reason="length")}
    assert "cut-off" in lab.LAB.reached(State(replies=both))


def test_one_engine_writes_the_whole_answer(server: Loopback, there: Any) -> None:
    """A shared engine must not take over when the server of a remote model turns out to be dead.

    It would process the beginning of each local answer at once. This rounds differently, so greedy
    answers depended on when the connection failed.
    """
    state = lab.act(with_server(server, there, alone=False), Ask())
    first = lab.question(state)
    assert isinstance(first, Go)
    dead = Reply(begun=True, trouble=ErrorReport("CannotConnect", "The server is dead."))
    state = lab.receive(state, first, lab.Replies({len(state.models) - 1: dead}))
    then = lab.question(state)
    assert isinstance(then, Go)
    assert [model.remote for _, model, _ in then.asked] == [None]
    assert lab.LAB.private(first)
    assert lab.LAB.private(then)
    local = lab.question(lab.act(settled(lab.State(), there), Ask()))
    assert local is not None
    assert not lab.LAB.private(local)

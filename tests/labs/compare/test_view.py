"""Test the lab that compares models through its keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.app.whole_app import sees, until
from tests.labs.lab_stage import (
    at_rest,
    do,
    editor,
    lab_app,
    seen,
    state_of,
)
from tests.later import SIZES
from tests.vendors import conftest as remote_tests
from tests.vendors.loopback import (
    Loopback,
    chat_event,
    silent,
    status,
    stream,
    usage_event,
)
from tutor.app.model.consent import ConsentScreen
from tutor.labs.compare import lab, view
from tutor.labs.kit.actions import Adjust, EditText
from tutor.labs.kit.remote import Sending
from tutor.vendors.catalogue import remote_model

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

ANSWER = stream(
    chat_event("The capital of Kenya is "),
    chat_event("Nairobi, a city of [b]millions[/b]\x1b[31m."),
    chat_event("", "stop"),
    usage_event(12, 9),
)


server = remote_tests.server  # a fixture


def _without_port(state: lab.State, action: lab.Action) -> lab.State:
    state = lab.act(state, action)
    names = tuple(re.sub(r":\d+", "", name) for name in state.names)
    return msgspec.structs.replace(state, names=names)


async def add(pilot: Pilot[Any], server: Loopback) -> None:
    await do(pilot, "a")
    editor(pilot).load(f"openai:some-model {server.url}/v1")
    await do(pilot, "enter")


async def ask(pilot: Pilot[Any], prompt: str) -> None:
    await do(pilot, "e")
    editor(pilot).load(prompt)
    await do(pilot, "enter")
    await pilot.press("r")
    await until(pilot, lambda: state_of(pilot).run > 0)


@pytest.mark.parametrize("size", SIZES)
def test_how_it_looks(
    size: tuple[int, int], server: Loopback, snap_compare: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    """The measured times and the port are replaced, since they change from run to run."""
    monkeypatch.setattr(view, "_figures", lambda *_: " (figures)")
    portless = msgspec.structs.replace(lab.LAB, act=_without_port)
    server.answers = [ANSWER]

    async def run(pilot: Any) -> None:
        await add(pilot, server)
        await ask(pilot, "What is the capital of Kenya?")
        await at_rest(pilot)

    assert snap_compare(lab_app(portless, tmp_path), terminal_size=size, run_before=run)


async def test_answers_are_shown_side_by_side(server: Loopback, tmp_path: Path) -> None:
    server.answers = [ANSWER]
    async with lab_app("compare", tmp_path).run_test(size=(80, 24)) as pilot:
        await add(pilot, server)
        await ask(pilot, "What is the capital of Kenya?")
        await at_rest(pilot)
        (line,) = (line for line in seen(pilot).splitlines() if "Kenya is Nairobi, a" in line)
        assert line.strip().startswith("The capital of Kenya is Nairobi. ")
        assert "[b]millions[/b]" in " ".join(seen(pilot).split())
        assert "\x1b" not in seen(pilot)
        assert state_of(pilot).done
        assert "Nairobi" in state_of(pilot).replies[0].text


async def test_a_run_stops_at_once(server: Loopback, tmp_path: Path) -> None:
    server.answers = [silent(chat_event("Once upon a time"))]
    async with lab_app("compare", tmp_path).run_test(size=(80, 24)) as pilot:
        await add(pilot, server)
        await do(pilot, "up", "up", "up", "up", "space")
        await ask(pilot, "Tell a story.")
        await sees(pilot, "Once upon a time")
        await pilot.press("r")
        await at_rest(pilot)
        assert "Stopped." in seen(pilot)
        assert "Once upon a time" in seen(pilot)


async def test_a_failure_is_shown_in_its_column(server: Loopback, tmp_path: Path) -> None:
    server.answers = [status(429, {"error": {"message": "slow down"}})]
    async with lab_app("compare", tmp_path).run_test(size=(80, 24)) as pilot:
        await add(pilot, server)
        await ask(pilot, "What is the capital of Kenya?")
        await at_rest(pilot)
        assert "Too many requests" in " ".join(seen(pilot).split())
        assert "Nairobi" in seen(pilot)


@pytest.mark.parametrize("yes", [True, False])
async def test_the_learner_is_asked_for_consent_first(
    yes: bool, server: Loopback, tmp_path: Path
) -> None:
    """Nothing reaches the server, which seems to be on another machine, without consent."""
    server.seem_elsewhere()
    server.answers = [ANSWER]
    async with lab_app("compare", tmp_path).run_test(size=(80, 24)) as pilot:
        await add(pilot, server)
        await pilot.press("enter")  # the second key of r
        await until(pilot, lambda: isinstance(pilot.app.screen, ConsentScreen))
        assert not server.asked
        await pilot.press("y" if yes else "escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, ConsentScreen))
        await until(pilot, lambda: state_of(pilot).run == 1)
        await at_rest(pilot)
        assert bool(server.asked) == yes
        assert ("nothing sent" in seen(pilot)) != yes
        assert ("some-model" in str(state_of(pilot).replies)) == yes
        assert state_of(pilot).replies[0].text


async def test_a_text_that_names_no_server_is_refused_in_the_field(tmp_path: Path) -> None:
    async with lab_app("compare", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot, "a")
        editor(pilot).load("openai:some-model")
        await do(pilot, "enter")
        assert "address is missing" in seen(pilot)
        assert "Model name and server address" in seen(pilot)  # The field stays open.
        assert not any(model.added for model in state_of(pilot).models)


async def test_a_server_can_be_removed(server: Loopback, tmp_path: Path) -> None:
    async with lab_app("compare", tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot)
        assert "d" not in pilot.app.screen.active_bindings
        await add(pilot, server)
        assert "some-model" in seen(pilot)
        assert "d" in pilot.app.screen.active_bindings
        await do(pilot, "d")
        assert "some-model” was removed. Press u to undo." in seen(pilot)
        assert not any("some-model" in name for name in state_of(pilot).names)


async def test_answers_to_another_prompt_are_marked_and_the_key_is_named(
    server: Loopback, tmp_path: Path
) -> None:
    server.answers = [ANSWER]
    async with lab_app("compare", tmp_path).run_test(size=(80, 24)) as pilot:
        await add(pilot, server)
        await do(pilot, *("up",) * 4, "space")
        await ask(pilot, "What is the capital of Kenya?")
        await at_rest(pilot)
        assert "Press r to send" not in seen(pilot)
        await do(pilot, "e")
        editor(pilot).load("What is a cat?")
        await do(pilot, "enter")
        assert "Press r to send the new prompt" in seen(pilot)
        server.answers = [status(500)]
        await do(pilot, "r")
        assert "Nairobi" not in seen(pilot)
        assert "The server reported an error" in " ".join(seen(pilot).split())
        assert "Press r to ask again." in " ".join(seen(pilot).split())


@pytest.mark.parametrize("yes", [True, False])
@pytest.mark.parametrize("written", [True, False])
async def test_a_lab_asks_for_consent_to_every_action_that_sends(
    *, yes: bool, written: bool, tmp_path: Path
) -> None:
    """The text of the editor and a key that only calls `did` are not sent without consent."""
    away = remote_model("openai:some-model", "https://example.org/v1")
    sending = msgspec.structs.replace(
        lab.LAB,
        sends=lambda _, action: (
            [Sending(away, "Your prompt")] if isinstance(action, EditText | Adjust) else ()
        ),
        declined=lambda *_: None,
    )
    async with lab_app(sending, tmp_path).run_test(size=(80, 24)) as pilot:
        await do(pilot)
        before = state_of(pilot)
        if written:
            await do(pilot, "e")
            editor(pilot).load("Is it raining?")
        await pilot.press("enter" if written else "t")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConsentScreen))
        await pilot.press("y" if yes else "escape")
        await at_rest(pilot)
        await until(pilot, lambda: state_of(pilot) != before or "Nothing was sent." in seen(pilot))
        assert (state_of(pilot) != before) == yes

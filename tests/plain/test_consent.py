"""Test that nothing is sent without the learner's consent, or opened where it is not allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.vendors.loopback import loopback, status

if TYPE_CHECKING:
    from tests.plain.session import Machine

AWAY = "openai:big http://cluster.school.invalid:8000/v1"
NOT_SENT = "Nothing is sent without your consent."


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "TUTOR_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_a_run_asks_first_and_goes_on_without_the_remote_model(machine: Machine) -> None:
    said = machine.say("lab compare", f"add {AWAY}", "ask", "no", "ask", "yes")
    asked = [at for at, line in enumerate(said.lines) if line == "Nothing has been sent yet."]
    assert len(asked) == 2
    about = said.lines[asked[0] + 2]
    assert about == "To: cluster.school.invalid:8000: the model big."
    assert NOT_SENT in said.lines[asked[0] : asked[1]]
    assert any(line.endswith("big: nothing was sent.") for line in said.lines)
    assert NOT_SENT not in said.lines[asked[1] :]
    assert any("cluster.school.invalid:8000 big failed: " in line for line in said.lines)


@pytest.mark.slow
def test_leaving_the_question_sends_nothing(machine: Machine) -> None:
    said = machine.say("lab scale", f"add {AWAY}", "agree yes", "back", "remove")
    assert "Nothing has been sent to this model. Type agree yes to send the text." in said.lines
    assert NOT_SENT in said.lines
    assert "You did not agree, so nothing was sent." in said.lines


def test_a_number_of_requests_is_named_before_they_are_sent(machine: Machine) -> None:
    said = machine.say("lab prompting", f"add {AWAY}", "run", "no", "state running")
    assert any("one by one: 20 requests now" in line for line in said.lines)
    assert NOT_SENT in said.lines


def test_the_stepper_asks_before_it_sends_a_text(machine: Machine) -> None:
    remote = machine._replace(engine=None, model="openai:big")
    said = remote.say("step", "help", "back")
    assert any(line.startswith("agree: ") for line in said.lines)
    assert not any(line.startswith("Rank 1:") for line in said.lines)


def test_a_locked_down_login_opens_no_file(machine: Machine) -> None:
    typed = "lab tokens", "edit field=tokenizer /etc/passwd"
    refused = "You cannot open files on this machine."
    assert refused in machine.say(*typed, options=["--kiosk"]).text
    assert refused not in machine.say(*typed).text


@pytest.mark.slow
def test_there_is_no_x_ray_of_a_remote_model(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loopback() as server:
        server.answers[:] = [status(500)]
        monkeypatch.setenv("TUTOR_BASE_URL", server.url)
        said = machine._replace(engine=None, model="openai:tiny").say("step", "xray", "back")
    refused = "There is no x-ray, because a server does not return its model's internal values."
    assert refused in said.lines
    assert not any(line.startswith("X-ray of token") for line in said.lines)

"""Test `tutor bot`: the three bots without a screen, as `docs/bot-json.md` describes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from tests.cli.command_line import Tutor
from tutor.cli.bot.output import GenerativeTrace, Report, RetrievalTrace, RulesTrace

ROOT = Path(__file__).parents[2]
FRIDAY = "When do you open on Friday?"


def asked(tutor: Tutor, trace: type[Struct], *arguments: str) -> Any:
    """Return the bot's JSON, and its trace, which must have exactly the fields of the type."""
    outcome = tutor("bot", *arguments, "--json")
    assert outcome.err == ""
    assert outcome.status == 0
    data = json.loads(outcome.out)
    assert set(data) == set(Report.__struct_fields__)
    assert set(data["trace"]) == set(trace.__struct_fields__)
    data["trace"] = msgspec.convert(data["trace"], trace, strict=False)
    return msgspec.convert({**data, "trace": None}, dict) | {"trace": data["trace"]}


def test_rules(tutor: Tutor) -> None:
    said = asked(tutor, RulesTrace, "rules", FRIDAY)
    assert (said["bot"], said["message"], said["declined"]) == ("rules", FRIDAY, False)
    assert said["reply"] == "On Friday we are open from 9 to 18."
    first = said["trace"].fits[0]
    assert (first.rule, first.words) == ("open-on-a-day", ("open", "on"))
    assert first.captures == ("When do I", "", "Friday", "")


def test_the_example_in_the_documentation_matches_the_output(tutor: Tutor) -> None:
    text = (ROOT / "docs" / "bot-json.md").read_text("utf-8")
    example = json.loads(text.split("```json")[1].split("```")[0])
    found = json.loads(tutor("bot", "rules", FRIDAY, "--json").out)
    example.pop("milliseconds"), found.pop("milliseconds")
    assert found == example
    for name in (*Report.__struct_fields__, *GenerativeTrace.__struct_fields__):
        assert f"`{name}`" in text
    for name in RetrievalTrace.__struct_fields__:
        assert f"`{name}`" in text


def test_the_fallback(tutor: Tutor) -> None:
    said = asked(tutor, RulesTrace, "rules", "My parrot ate my library card.")
    assert said["declined"]
    assert said["trace"].fits == ()
    plain = tutor("bot", "rules", "My parrot ate my library card.").out
    assert plain.startswith("I did not understand.")
    assert "None of the 49 rules matches" in plain


def test_rules_use_earlier_messages(tutor: Tutor) -> None:
    before = ("--before", "Hello", "--before", "Hello. What can I do for you?")
    said = asked(tutor, RulesTrace, "rules", "Hello", *before)
    assert (said["reply"], said["trace"].turn) == ("Hello once more.", 2)


def test_custom_rules(tutor: Tutor, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(
        'fallback: ["Pardon?"]\nreflections: {my: your}\nrules:\n'
        '  - {name: own, priority: 1, patterns: ["* my *"], answers: ["Your {2}?"]}\n'
    )
    said = asked(tutor, RulesTrace, "rules", "I lost my hat", "--rules", str(file))
    assert (said["reply"], said["trace"].rules) == ("Your hat?", 1)
    file.write_text(file.read_text().replace("priority: 1", "priority: 1000"))
    outcome = tutor("bot", "rules", "x", "--rules", str(file))
    assert outcome.status == 1
    assert "rules.yaml, line 4" in outcome.err


def test_retrieval(tutor: Tutor, tiny_model: str) -> None:
    """The embedding of this model is random, so only the spelling counts."""
    said = asked(
        tutor, RetrievalTrace, "retrieval", "I lost my library card", "--model", tiny_model
    )
    assert said["reply"] == "Lost your card? A new one costs 3 euros at the desk."
    trace = said["trace"]
    assert trace.nearest[0].cosine == pytest.approx(1, abs=1e-5)
    assert trace.intents[0].intent == "lost-card"
    assert (trace.training.phrases, trace.training.held_out) == (240, 100)
    assert trace.training.held_out_right > 50
    assert trace.training.loss < math.log(20) / 4
    other = asked(tutor, RetrievalTrace, "retrieval", "xyzzy", "--model", tiny_model, "--seed", "2")
    assert other["declined"]
    assert other["trace"].training.seed == 2
    assert other["trace"].training.loss != trace.training.loss


def test_generative(tutor: Tutor, tiny_model: str) -> None:
    said = asked(tutor, GenerativeTrace, "generative", "a", "--length", "3", "--model", tiny_model)
    trace = said["trace"]
    assert len(trace.tokens) == 3
    assert all(token.rank == 1 for token in trace.tokens)
    assert trace.seed is None
    data = b"".join(bytes.fromhex(token.bytes) for token in trace.tokens)
    assert said["reply"] == data.decode("utf-8", "replace")
    drawing = ("--length", "3", "--seed", "4", "--model", tiny_model)
    drawn = asked(tutor, GenerativeTrace, "generative", "a", *drawing)
    assert drawn["trace"].seed == 4
    before = ("--before", "a", "--before", "b")
    longer = asked(
        tutor, GenerativeTrace, "generative", "a", "--length", "1", "--model", tiny_model, *before
    )
    assert len(longer["trace"].prompt_ids) > len(trace.prompt_ids)


def test_plain_output_has_no_control_characters(tutor: Tutor, tiny_model: str) -> None:
    for arguments in (
        ("rules", "\x1b[2J my name is \x1b[31mAda"),
        ("generative", "\x1b[2J", "--length", "3", "--seed", "1"),
    ):
        outcome = tutor("bot", *arguments, "--model", tiny_model)
        assert outcome.status == 0
        assert not [char for char in outcome.out if ord(char) < 32 and char != "\n"]


def test_the_message_can_come_from_standard_input(tutor_process: Tutor) -> None:
    outcome = tutor_process("bot", "rules", "-", "--json", input=f"{FRIDAY}\n".encode())
    assert outcome.status == 0
    assert json.loads(outcome.out)["message"] == FRIDAY
    wrong = tutor_process("bot", "rules", "-", input=b"caf\xe9")
    assert wrong.status == 1
    assert "not UTF-8" in wrong.err


@pytest.mark.parametrize(
    ("status", "arguments"),
    [
        (2, ()),
        (2, ("rules",)),
        (2, ("oracle", "x")),
        (2, ("rules", "x", "--length", "0")),
        (2, ("rules", "x", "--before", "y")),
        (2, ("retrieval", "x", "--rules", "file")),
        (1, ("rules", "")),
        (1, ("rules", " \n ")),
        (1, ("rules", "x", "--rules", "/nowhere/rules.yaml")),
        (1, ("retrieval", "x", "--model", "/nowhere/model.gguf")),
        (1, ("generative", "x", "--model", "no-such-name")),
    ],
)
def test_invalid_arguments_are_refused(
    tutor: Tutor, status: int, arguments: tuple[str, ...]
) -> None:
    outcome = tutor("bot", *arguments)
    assert outcome.status == status
    assert outcome.out == ""
    assert outcome.err != ""


def test_rules_need_no_model_and_load_no_torch(tutor_process: Tutor, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise SystemExit(9)")
    outcome = tutor_process("bot", "rules", FRIDAY, PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert outcome.status == 0

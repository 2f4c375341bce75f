"""Test `tutor step`: its JSON, its plain output, and invalid arguments."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cli.command_line import Tutor
from tests.tiny_model import CONFIG
from tutor.lm.saved_steering import SavedVector, folder_of_learner, packed, write

VOCABULARY = 259


class Model(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    sha256: str
    format: str


class Row(msgspec.Struct, forbid_unknown_fields=True):
    rank: int
    id: int
    text: str
    bytes: str
    probability: float
    logit: float
    sampled_probability: float | None = None


class Chosen(msgspec.Struct, forbid_unknown_fields=True):
    id: int
    text: str
    probability: float


class Step(msgspec.Struct, forbid_unknown_fields=True):
    position: int
    entropy_bits: float
    top: list[Row]
    chosen: Chosen | None


class Steering(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    layer: int
    strength: float


class Report(msgspec.Struct, forbid_unknown_fields=True):
    """The promised output, defined a second time."""

    model: Model
    prompt_ids: list[int]
    steps: list[Step]
    steering: Steering | None = None


@pytest.fixture
def step(tutor: Tutor, tiny_model: str) -> Callable[..., Report]:
    def run(*arguments: str) -> Report:
        outcome = tutor("step", *arguments, "--model", tiny_model, "--json")
        assert outcome.status == 0, outcome.err
        assert outcome.err == ""
        return msgspec.json.decode(outcome.out, type=Report)

    return run


StepJson = Callable[..., Report]


def test_one_step(step: StepJson) -> None:
    report = step("hello", "--top", "5")
    assert report.model.name == "tiny"
    assert len(report.model.sha256) == 64
    assert report.model.format == "BF16"
    assert len(report.prompt_ids) == 5
    (only,) = report.steps
    assert only.position == 5
    assert only.chosen is None
    assert [row.rank for row in only.top] == [1, 2, 3, 4, 5]
    assert all(row.sampled_probability is None for row in only.top)


def saved_vector(step: StepJson, model: str) -> Path:
    """Save a vector for the tiny model in the learner's folder, and return its path."""
    sha256 = step("hello").model.sha256
    vector = SavedVector(
        name="up", model=sha256, model_name="tiny", layer=1, first=("a",), second=("b",),
        values=packed([1.0] * CONFIG.width),
    )  # fmt: skip
    return write(folder_of_learner(), vector)


def test_a_steered_step_says_so(tutor: Tutor, step: StepJson, tiny_model: str) -> None:
    path = saved_vector(step, tiny_model)
    plain, steered = step("hello"), step("hello", "--steer", "up:-2")
    assert plain.steering is None
    assert steered.steering == Steering("up", 1, -2.0)
    assert steered.steps[0].top != plain.steps[0].top
    assert step("hello", "--steer", f"{path}:-2").steps == steered.steps
    outcome = tutor("step", "hello", "--steer", "up:-2", "--model", tiny_model)
    assert "The network is steered: up, layer 2, -2." in outcome.out


def test_a_vector_of_another_model_is_refused(tutor: Tutor, tiny_model: str) -> None:
    vector = SavedVector(
        name="other", model="x", model_name="Other", layer=1, first=("a",), second=("b",),
        values=packed([1.0]),
    )  # fmt: skip
    write(folder_of_learner(), vector)
    outcome = tutor("step", "hello", "--steer", "other:1", "--model", tiny_model)
    assert outcome.status != 0
    assert "was made with Other" in outcome.err


def test_the_numbers_are_a_softmax(step: StepJson) -> None:
    (only,) = step("hello", "--top", str(VOCABULARY)).steps
    total = math.fsum(math.exp(row.logit) for row in only.top)
    for row in only.top:
        assert row.probability == pytest.approx(math.exp(row.logit) / total, rel=1e-4)
    entropy = -math.fsum(row.probability * math.log2(row.probability) for row in only.top)
    assert only.entropy_bits == pytest.approx(entropy, rel=1e-4)
    assert sorted(row.id for row in only.top) == list(range(VOCABULARY))
    assert only.top == sorted(only.top, key=lambda row: (-row.logit, row.id))


def test_bytes_that_are_not_text_alone(step: StepJson) -> None:
    (only,) = step("hello", "--top", "1000").steps
    byte = next(row for row in only.top if row.bytes == "ff")
    assert byte.text == "\ufffd"
    assert next(row for row in only.top if row.bytes == "41").text == "A"


@pytest.mark.parametrize(
    "sampler",
    [["--temperature", "0.7"], ["--top-k", "3"], ["--top-p", "0.5"], ["--min-p", "0.99"]],
    ids=lambda sampler: str(sampler[0]),
)
def test_a_sampler_shows_the_remaining_probabilities(step: StepJson, sampler: list[str]) -> None:
    (plain,) = step("hello", "--top", str(VOCABULARY)).steps
    (sampled,) = step("hello", "--top", str(VOCABULARY), *sampler).steps
    assert [row.probability for row in plain.top] == [row.probability for row in sampled.top]
    left = [row.sampled_probability for row in sampled.top]
    assert math.fsum(share or 0 for share in left) == pytest.approx(1, rel=1e-4)
    assert left != [row.probability for row in plain.top]


def test_a_sampler_option_that_changes_nothing_still_shows(step: StepJson) -> None:
    (only,) = step("hello", "--temperature", "1").steps
    assert [row.sampled_probability for row in only.top] == [row.probability for row in only.top]


def test_greedy(step: StepJson) -> None:
    report = step("hello", "--greedy", "--steps", "3", "--top", "2")
    for each in report.steps:
        assert each.chosen is not None
        assert each.chosen.id == each.top[0].id
        assert each.chosen.probability == each.top[0].probability
        assert [row.sampled_probability for row in each.top] == [1, 0]


def test_a_trajectory_can_be_repeated(step: StepJson) -> None:
    first = step("hello", "--steps", "4", "--seed", "7")
    assert first == step("hello", "--steps", "4", "--seed", "7")
    assert first != step("hello", "--steps", "4", "--seed", "8")
    assert [each.position for each in first.steps] == [5, 6, 7, 8]
    assert step("hello").steps[0].top == first.steps[0].top


def test_every_step_continues_from_the_taken_token(step: StepJson) -> None:
    """The second step equals one step on the text with the first token."""
    for seed in range(20):
        report = step("hello", "--steps", "2", "--seed", str(seed))
        taken = report.steps[0].chosen
        if taken is not None and taken.text.isalnum() and taken.text.isascii():
            direct = step("hello" + taken.text).steps[0]
            for row, again in zip(report.steps[1].top, direct.top, strict=True):
                assert row.id == again.id
                assert row.logit == pytest.approx(again.logit, abs=1e-4)
            return
    pytest.fail("no seed drew a letter")


def test_a_file_is_used_exactly_as_it_is(step: StepJson, tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_bytes("né\n".encode())
    assert step("--input", str(file)) == step("né\n")


def test_chat_uses_the_template(step: StepJson) -> None:
    plain, chat = step("hello"), step("hello", "--chat")
    assert len(chat.prompt_ids) > len(plain.prompt_ids)
    assert {1, 2} <= set(chat.prompt_ids)  # the marks around each message


def test_marks_in_a_text_are_only_text(step: StepJson) -> None:
    assert len(step("<|im_end|>").prompt_ids) == len("<|im_end|>")


def test_options_can_come_before_the_command(tutor: Tutor, tiny_model: str) -> None:
    before = tutor("--model", tiny_model, "step", "hello", "--json")
    assert before == tutor("step", "hello", "--model", tiny_model, "--json")


def test_steps_beyond_the_context_window(tutor: Tutor, tiny_model: str) -> None:
    """The steps computed so far are printed, then the error."""
    arguments = ["step", "x" * 60, "--steps", "20", "--greedy", "--model", tiny_model]
    outcome = tutor(*arguments, "--json")
    report = msgspec.json.decode(outcome.out, type=Report)
    assert [each.position for each in report.steps] == [60, 61, 62, 63]
    assert outcome.status == 1
    assert "context" in outcome.err
    plain = tutor(*arguments)
    assert plain.out.count("Taken:") == 4
    assert plain.status == 1


# --- plain output -------------------------------------------------------------------------------


def test_plain_output(tutor: Tutor, tiny_model: str, step: StepJson) -> None:
    outcome = tutor("step", "a b", "--top", "3", "--model", tiny_model)
    assert outcome.status == 0
    lines = outcome.out.splitlines()
    assert lines[:2] == ["tiny (BF16), 3 tokens processed:", "a ␣ b"]
    expected = step("a b", "--top", "3").steps[0].top
    for line, row in zip(lines[5:8], expected, strict=True):
        rank, percent, _, logit, id_, *_ = line.split()
        assert (rank, id_) == (str(row.rank), str(row.id))
        assert float(percent) == pytest.approx(100 * row.probability, abs=0.01)
        assert float(logit) == pytest.approx(row.logit, abs=0.01)
    assert f"in the {VOCABULARY - 3} tokens not shown" in lines[8]


def test_model_output_cannot_act_on_the_terminal(tutor: Tutor, tiny_model: str) -> None:
    """Every byte is a token of this model, including the escape character."""
    outcome = tutor("step", "\x1b[2J", "--top", "300", "--steps", "2", "--model", tiny_model)
    assert outcome.status == 0
    assert "␛" in outcome.out
    assert not [char for char in outcome.out if ord(char) < 32 and char != "\n"]


def test_a_terminal_without_unicode(tutor_process: Tutor, tiny_model: str) -> None:
    outcome = tutor_process("step", "a b", "--model", tiny_model, PYTHONIOENCODING="ascii")
    assert outcome.status == 0
    assert "\\u2423" in outcome.out


def test_a_reader_that_closes_the_pipe(tiny_model: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tutor", "step", "hello", "--model", tiny_model],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, complaints = process.communicate(timeout=120)
    assert process.returncode == 141
    assert complaints == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("command", "output", "words"),
    [
        (["step", "hello"], ">/dev/full", b"No space left"),
        pytest.param(["step", "hello"], ">&-", b"output is closed", marks=pytest.mark.slow),
        pytest.param(
            ["step", "hello", "--json"], ">/dev/full", b"No space left", marks=pytest.mark.slow
        ),
        pytest.param(
            ["step", "hello", "--json"], ">&-", b"output is closed", marks=pytest.mark.slow
        ),
        (["lessons"], ">&-", b"output is closed"),
        (["lessons", "--json"], ">/dev/full", b"No space left"),
    ],
    ids=[
        *("plain, full", "plain, closed", "json, full", "json, closed"),
        *("lessons, closed", "lessons as json, full"),
    ],
)
def test_output_that_cannot_be_written(
    tiny_model: str, command: list[str], output: str, words: bytes
) -> None:
    model = ["--model", tiny_model] if command[0] == "step" else []
    process = subprocess.run(
        ["sh", "-c", f'"$@" {output}', "sh", sys.executable, "-m", "tutor", *command, *model],
        stderr=subprocess.PIPE,
        timeout=120,
        check=False,
    )
    assert process.returncode == 1
    assert process.stderr.startswith(b"tutor: The output cannot be written: ")
    assert words in process.stderr


@pytest.mark.parametrize(
    "module", ["msgspec", "torch"]
)  # one of the first imports, and the slowest
def test_ctrl_c_while_modules_are_imported(tiny_model: str, tmp_path: Path, module: str) -> None:
    """Ctrl+C comes during an import that swallows every exception, as some imports do."""
    (tmp_path / f"{module}.py").write_text(
        "import os, signal\n"
        "try:\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    for _ in range(1000): pass\n"
        "except BaseException:\n"
        "    pass\n"
        "raise SystemExit(9)\n"
    )
    process = subprocess.run(
        [sys.executable, "-m", "tutor", "step", "hello", "--model", tiny_model],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 130
    assert process.stderr == b"tutor: interrupted.\n"


# --- invalid arguments ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["hello", "--input", "file"],
        ["hello", "--temperature", "nan"],
        ["hello", "--temperature", "inf"],
        ["hello", "--temperature", "-1"],
        ["hello", "--temperature", "warm"],
        ["hello", "--top-k", "-1"],
        ["hello", "--top-p", "0"],
        ["hello", "--top-p", "nan"],
        ["hello", "--min-p", "2"],
        ["hello", "--greedy", "--temperature", "1"],
        ["hello", "--steps", "0"],
        ["hello", "--top", "-1"],
        ["hello", "--to", "3"],
        ["hello", "--model", "hf:no-owner"],
    ],
    ids=lambda arguments: " ".join(arguments[1:]) or "nothing",
)
def test_wrong_usage(tutor: Tutor, arguments: list[str]) -> None:
    outcome = tutor("step", *arguments)
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err != ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([""], "empty"),
        (["x" * 65], "64"),
        (["--input", "/nowhere/text"], "/nowhere/text"),
        (["--input", "nul\0"], "cannot be read"),
        (["hello", "--model", "/nowhere/model.gguf"], "/nowhere/model.gguf"),
        (["hello", "--model", "no-such-name"], "no-such-name"),
    ],
    ids=["empty", "too long", "no file", "no name", "no model file", "no model name"],
)
def test_failures(tutor: Tutor, tiny_model: str, arguments: list[str], words: str) -> None:
    outcome = tutor("--model", tiny_model, "step", *arguments)
    assert outcome.status == 1
    assert outcome.out == ""
    assert words in outcome.err


def test_a_text_that_needs_too_much_memory(
    tutor: Tutor, tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from tutor.lm.session import Session

    monkeypatch.setattr(Session, "distribution", lambda *_: torch.empty(1 << 60))
    outcome = tutor("--model", tiny_model, "step", "hello", "--json")
    assert outcome.status == 1
    assert outcome.out == ""
    assert "there is not enough memory for this text" in outcome.err


@pytest.mark.parametrize("way", ["argument", "file", "input"])
def test_text_that_is_not_utf_8(
    tutor_process: Tutor, tiny_model: str, tmp_path: Path, way: str
) -> None:
    data = b"caf\xe9"
    (tmp_path / "text").write_bytes(data)
    given: Any = {
        "argument": [data],
        "file": ["--input", os.fspath(tmp_path / "text")],
        "input": ["--input", "-"],
    }
    outcome = tutor_process("step", *given[way], "--model", tiny_model, input=data)
    assert outcome.status == 1
    assert "not UTF-8: byte 3 is 0xe9" in outcome.err
    assert outcome.out == ""

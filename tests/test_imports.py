"""Test that a running process respects the layers: it loads only what it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = "torch tokenizers gguf huggingface_hub numpy safetensors jinja2 openai httpx2 keyring"

MAPS = "word-map word2vec"
"""The labs that draw with a widget that needs NumPy."""

WALK_THROUGH_THE_APP = f"""
import asyncio, sys
from tutor.app.start import make_app
from tutor.labs.kit.registry import names

async def main():
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        for lesson in app.services.course.lessons:
            app.navigator.open_lesson(lesson)
            app.navigator.open_quiz(lesson)
        app.navigator.open_place("step")
        app.navigator.open_place("chat")
        app.navigator.open_place("guess")
        app.navigator.open_place("progress")
        app.navigator.open_place("model")
        await pilot.pause()
        for lab in [name for name in names() if name not in {MAPS!r}.split()]:
            app.navigator.open_live_lab(lab)
            await pilot.pause()
        app.action_help()
        await pilot.pause()

asyncio.run(main())
print(*[name for name in {HEAVY!r}.split() if name in sys.modules])
"""


@pytest.mark.slow
def test_the_process_that_draws_the_screen_stays_light(tmp_path: Path) -> None:
    """Walk through every screen.

    This must not load the model's dependencies, except NumPy if a lab draws a map.
    """
    assert _run(WALK_THROUGH_THE_APP, tmp_path) == ""


def test_starting_the_app_loads_no_parser_of_markdown(tmp_path: Path) -> None:
    program = """
import sys, tutor.app.start
print(*[name for name in "markdown_it pygments tree_sitter".split() if name in sys.modules])
"""
    assert _run(program, tmp_path) == ""


@pytest.mark.slow
def test_a_stepper_without_a_task_loads_no_parser_of_markdown(tmp_path: Path) -> None:
    program = """
import asyncio, sys
from tutor.app.start import make_app

async def main():
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        app.navigator.open_place("step")
        await pilot.pause()

asyncio.run(main())
print(*[name for name in ["markdown_it"] if name in sys.modules])
"""
    # The first start parses the lessons, and keeps their outlines.
    _run("from tutor.course.catalogue import load_course; load_course()", tmp_path)
    assert _run(program, tmp_path) == ""


def test_the_command_line_loads_only_what_a_command_needs(tmp_path: Path) -> None:
    program = f"""
import sys
from tutor.cli import main
main(["lessons", "--json"])
print(*[name for name in ("textual " + {HEAVY!r}).split() if name in sys.modules])
"""
    assert _run(program, tmp_path).split("\n")[-1] == ""


def test_a_command_line_imports_only_the_modules_of_its_command(tmp_path: Path) -> None:
    program = """
import sys
from tutor.cli.commands import COMMANDS
from tutor.cli.main import command_line
modules = {f"tutor.cli.{module}" for module, *_ in COMMANDS.values()}
for given in (["--theme", "dark"], ["--theme", "dark", "lessons", "--json"]):
    command_line(given)
    print(*sorted(modules & set(sys.modules)), sep=" ", end=";")
"""
    assert _run(program, tmp_path) == ";tutor.cli.lessons;"


def test_reading_the_command_line_loads_nothing_of_its_commands(tmp_path: Path) -> None:
    program = """
import sys, tutor.cli.main
late = "tutor.sharing.document tutor.lm.saved_steering tutor.lm.token_tree tutor.app.spoken"
print(*[name for name in late.split() if name in sys.modules])
"""
    assert _run(program, tmp_path) == ""


def _run(program: str, data: Path) -> str:
    nothing = str(
        data / "no-such-model.gguf"
    )  # so that nothing is downloaded and no engine loads a model
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"TUTOR_DATA": str(data), "TUTOR_MODEL": nothing},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.removesuffix("\n")


@pytest.mark.slow
def test_linting_loads_no_dependencies_of_the_model(tmp_path: Path) -> None:
    """Checks with the model load nothing of the screen."""
    program = f"""
import sys
from tutor.cli import main
assert main(["lint", "--no-model"]) == 0
import tutor.authoring.ask, tutor.authoring.claims, tutor.authoring.kept_answers
print(*[name for name in ("textual " + {HEAVY!r}).split() if name in sys.modules])
"""
    assert _run(program, tmp_path).split("\n")[-1] == ""


@pytest.mark.slow
def test_training_does_not_import_the_compiler_of_pytorch(tmp_path: Path) -> None:
    """The import takes seconds, and a learner who starts a training run would have to wait."""
    program = """
import sys, torch
from tutor.lm.training.train import Settings, make_optimizer
network = torch.nn.Linear(2, 2)
optimizer = make_optimizer(network, Settings())
network(torch.ones(2)).sum().backward()
optimizer.step()
optimizer.zero_grad()
print(*[name for name in sys.modules if name == "torch._dynamo"])
"""
    assert _run(program, tmp_path) == ""


def test_a_missing_model_is_reported_before_pytorch_is_imported(tmp_path: Path) -> None:
    program = f"""
import sys
from tutor.engine.loading import load
from tutor.errors import TutorError
try:
    load(None, lambda *stage: None)
except TutorError as error:
    print(error.happened[:8], *[name for name in {HEAVY!r}.split() if name in sys.modules])
"""
    assert _run(program, tmp_path) == "There is"

"""Test `tutor train`: its arguments, its output, and how it is stopped and continued."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.cli.command_line import Tutor
from tests.labs.training_stage import SMALL, write_corpus
from tutor import paths
from tutor.cli import train
from tutor.lm.training.recipes.families import model as family_model
from tutor.lm.training.recipes.families import tasks as family_tasks
from tutor.lm.training.recipes.families.model import load_family
from tutor.lm.training.run import StepReport


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "corpus").mkdir()
    return write_corpus(tmp_path / "corpus")


def config(folder: Path, **settings: object) -> str:
    file = folder / "config.json"
    file.write_bytes(msgspec.json.encode({**msgspec.structs.asdict(SMALL), **settings}))
    return str(file)


@pytest.mark.parametrize("name", train.MODELS)
def test_it_prints_its_settings(name: str, tutor: Tutor) -> None:
    outcome = tutor("train", name, "--steps", "7", "--show-config")
    assert outcome.status == 0
    assert json.loads(outcome.out)["steps"] == 7


def test_the_bundled_models_were_trained_with_these_settings() -> None:
    for family, settings in family_model.SETTINGS.items():
        record = (paths.assets_folder() / family / "training.json").read_bytes()
        assert msgspec.json.decode(record, type=family_model.Result).settings == settings


def test_the_small_model_is_trained(tutor: Tutor, corpus: Path, tmp_path: Path) -> None:
    output = tmp_path / "model"
    arguments = ("--corpus", str(corpus), "--output", str(output), "--config", config(tmp_path))
    outcome = tutor("train", "small-model", *arguments, "--seed", "3")
    assert outcome.status == 0
    assert outcome.out == f"{output}\n"
    assert "held-out loss" in outcome.err
    assert json.loads((output / "training.json").read_bytes())["settings"]["seed"] == 3


@pytest.mark.parametrize("family", family_model.SETTINGS)
def test_each_family_is_trained(
    family: family_model.Family,
    tutor: Tutor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(family_tasks, "EXAMPLES", 200)
    monkeypatch.setattr(family_model, "MEASURED", 5)
    monkeypatch.setattr(family_model, "MEASURED_MEANWHILE", 5)
    output = tmp_path / family
    file = config(tmp_path, key_value_heads=4, context=32, steps=20)
    outcome = tutor("train", family, "--output", str(output), "--config", file)
    assert outcome.status == 0
    model = load_family(family, output)
    assert model.family == family
    assert len(model.vocabulary) == model.network.config.vocabulary_size
    assert not list(tmp_path.glob("*checkpoint*"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-model",),
        ("encoder", "--corpus", "somewhere"),
        ("encoder", "--from", "somewhere"),
        ("encoder", "--steps", "0"),
        ("encoder", "--config", "no-such-file"),
        ("small-model", "--corpus", "no-such-folder"),
    ],
)
def test_invalid_arguments_are_wrong_usage(
    arguments: tuple[str, ...], tutor: Tutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert tutor("train", *arguments).status == 2


@pytest.mark.parametrize("settings", [{"stepz": 3}, {"steps": "many"}, {"context": 8}])
def test_an_invalid_file_of_settings_is_wrong_usage(
    settings: dict[str, object], tutor: Tutor, tmp_path: Path
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(settings))
    output = str(tmp_path / "out")
    outcome = tutor("train", "encoder", "--config", str(file), "--output", output)
    assert outcome.status == 2
    assert next(iter(settings)) in outcome.err


def test_ctrl_c_saves_a_checkpoint_and_the_same_command_continues(
    corpus: Path, tmp_path: Path, tutor: Tutor
) -> None:
    output = tmp_path / "model"
    arguments = ["train", "small-model", "--corpus", str(corpus), "--output", str(output)]
    endless = config(tmp_path, steps=1_000_000, report_every=1, evaluate_every=1_000_000)
    process = subprocess.Popen(
        [sys.executable, "-m", "tutor", *arguments, "--config", endless],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if "Training small-model" in line:  # it has done a step
            process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert said[-1] == "tutor: interrupted.\n"
    assert Path(f"{output}.checkpoint.safetensors").exists()
    # different settings are refused, and the same ones continue
    outcome = tutor(*arguments, "--config", config(tmp_path))
    assert outcome.status == 2
    assert "different settings" in outcome.err


def test_the_bar_tells_how_far_it_is_and_how_long_it_takes() -> None:
    moment = StepReport(step=500, steps=2000, loss=1.23456, rate=1e-3, seconds=0.5)
    assert train.figures(moment) == "[######..................]  25 %  loss 1.235  12:30 left"
    long = StepReport(step=1, steps=10_001, loss=1.0, rate=1e-3, seconds=1.0)
    assert train.figures(long).endswith("2:46:40 left")

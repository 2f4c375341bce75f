"""Test `tutor model`: list and download models; tests/models tests the download itself."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.cli.command_line import Tutor
from tests.later import later
from tests.tiny_gguf import write_gguf
from tutor import paths
from tutor.errors import NoSpace
from tutor.models import FoundModel
from tutor.models import pull as pull_module
from tutor.models.installed import DEFAULT
from tutor.models.packed import in_bytes
from tutor.models.report import Pulled, PullFailed, PullProgress, decode


@pytest.fixture
def no_bundled_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("model", "base", "instruct"):
        monkeypatch.setattr(paths, f"bundled_{name}_folder", lambda: tmp_path / "none")


@pytest.mark.usefixtures("no_bundled_model")
def test_nothing_is_installed(tutor: Tutor) -> None:
    outcome = tutor("model", "list")
    assert outcome.status == 0
    assert "tutor model pull" in outcome.out
    assert json.loads(tutor("model", "list", "--json").out) == []


@pytest.mark.usefixtures("no_bundled_model")
def test_what_is_installed(tutor: Tutor, tiny_model: str) -> None:
    mine = paths.user_models_folder() / "mine"
    shutil.copytree(tiny_model, mine)
    ours = paths.shared_models_folder() / DEFAULT.file_name
    ours.parent.mkdir(parents=True)
    with ours.open("wb") as file:
        file.truncate(DEFAULT.size)  # takes no disk space
    listed = json.loads(tutor("model", "list", "--json").out)
    assert [(each["name"], each["path"], each["default"]) for each in listed] == [
        ("mine", str(mine), False),
        (ours.stem, str(ours), True),
    ]
    assert listed[1]["size"] == DEFAULT.size
    assert f"* {ours.stem}" in tutor("model", "list").out


@pytest.mark.usefixtures("no_bundled_model")
def test_packed_copies_are_listed_and_can_be_removed(tutor: Tutor, tmp_path: Path) -> None:
    """List copies of a file that was only tried and is gone; the file is never removed."""
    tried, kept = tmp_path / "tried.gguf", paths.user_models_folder() / "kept.gguf"
    write_gguf(tried, "Q4_1")
    kept.parent.mkdir(parents=True)
    write_gguf(kept, "Q8_0")
    for path in (tried, kept):
        assert tutor("step", "hello", "--model", str(path)).status == 0
    listed = json.loads(tutor("model", "list", "--json").out)
    packed = {each["name"]: each for each in listed if each["kind"] == "packed"}
    assert set(packed) == {"tried", "kept"}
    copy = Path(packed["tried"]["path"])
    assert packed["tried"]["size"] == copy.stat().st_size
    assert f"packed from {tried})" in tutor("model", "list").out
    tried.rename(tmp_path / "moved.gguf")
    assert f"packed from {tried}, which no longer exists)" in tutor("model", "list").out
    assert str(copy) in tutor("model", "remove", "tried").out
    assert not copy.exists()
    assert (tmp_path / "moved.gguf").exists()
    assert tutor("model", "remove", "Kept").status == 0
    assert [path.name for path in kept.parent.iterdir()] == []
    assert list(paths.packed_folder().iterdir()) == []


def _packed_copy(name: str, source: Path, size: int, used: int) -> Path:
    """Write a file that looks like a packed copy, which was last used at the time `used`."""
    path = paths.packed_folder() / f"{name * 16}-avx2-torch2.9.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"a": torch.zeros(size // 4)}, path, {"tutor": json.dumps({"source": str(source)})})
    os.utime(path, (used, used))
    return path


def test_packed_copies_stay_within_their_limit(
    tutor: Tutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies of removed files go first, and then those that were not used for longest."""
    monkeypatch.setenv("TUTOR_PACKED_LIMIT", "0.0024")
    model = tmp_path / "new.gguf"
    write_gguf(model, "Q4_1")
    orphan = _packed_copy("a", tmp_path / "gone.gguf", 1_000_000, used=3)
    old = _packed_copy("b", model, 1_000_000, used=1)
    recent = _packed_copy("c", model, 1_000_000, used=2)
    assert tutor("step", "hello", "--model", str(model)).status == 0
    assert [path.exists() for path in (orphan, old, recent)] == [False, False, True]
    taken = sum(path.stat().st_size for path in paths.packed_folder().iterdir())
    assert f"Packed copies take up {in_bytes(taken)} (limit: 2 MB)" in tutor("model", "list").out


def test_prune(tutor: Tutor, tmp_path: Path) -> None:
    kept = tmp_path / "kept.gguf"
    kept.touch()
    orphan = _packed_copy("a", tmp_path / "gone.gguf", 1_000_000, used=3)
    old = _packed_copy("b", kept, 1_000_000, used=1)
    recent = _packed_copy("c", kept, 1_000_000, used=2)
    assert f"Removed {orphan} (1 MB)" in tutor("model", "prune").out
    assert [path.exists() for path in (orphan, old, recent)] == [False, True, True]
    assert "nothing to remove" in tutor("model", "prune").out
    assert tutor("model", "prune", "--keep", "0.0015").status == 0
    assert [path.exists() for path in (old, recent)] == [False, True]
    assert tutor("model", "prune", "--keep", "0").status == 0
    assert not recent.exists()
    assert kept.exists()
    assert tutor("model", "prune", "--keep", "-1").status == 2


def test_an_invalid_limit(tutor: Tutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUTOR_PACKED_LIMIT", "much")
    outcome = tutor("model", "prune")
    assert (outcome.status, "TUTOR_PACKED_LIMIT is 'much'" in outcome.err) == (2, True)


def test_copies_of_older_versions_are_moved_to_the_cache(tutor: Tutor, tmp_path: Path) -> None:
    """A learner's own files in the same folder stay there, whatever their names are."""
    models = paths.user_models_folder()
    models.mkdir(parents=True)
    old = _packed_copy("a", tmp_path / "model.gguf", 1000, used=1)
    moved = old.rename(models / old.name)
    mine = models / "mine.safetensors"
    shutil.copyfile(moved, mine)
    named = models / f"{'b' * 16}-avx2-torch2.9.safetensors"
    save_file({"a": torch.zeros(9)}, named)
    linked = models / f"{'c' * 16}-avx2-torch2.9.safetensors"
    linked.symlink_to(mine)
    assert tutor("model", "list").status == 0
    assert old.exists()
    assert not moved.exists()
    assert sorted(models.iterdir()) == sorted([mine, named, linked])


def test_some_models_cannot_be_removed(tutor: Tutor, tiny_model: str) -> None:
    outcome = tutor("model", "remove", "nothing-of-this-name")
    assert outcome.status == 1
    assert "tutor model list" in outcome.err
    assert "part of tutor" in tutor("model", "remove", "small-model").err
    assert paths.bundled_model_folder().exists()
    shutil.copytree(tiny_model, paths.user_models_folder() / "mine")
    assert tutor("model", "remove", "mine").status == 0
    assert not (paths.user_models_folder() / "mine").exists()


@pytest.mark.usefixtures("no_bundled_model")
def test_the_environment_can_name_another_model(
    tutor: Tutor, tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUTOR_MODEL", tiny_model)
    (listed,) = json.loads(tutor("model", "list", "--json").out)
    assert listed["path"] == tiny_model
    assert listed["default"]
    monkeypatch.setenv("TUTOR_MODEL", "hf:some/model")  # it is not downloaded for this
    outcome = tutor("model", "list")
    assert "hf:some/model is in use" in outcome.err


def test_check(tutor: Tutor, tiny_model: str) -> None:
    outcome = tutor("model", "check", "--model", tiny_model, "--device", "cpu")
    assert outcome.status == 0
    assert "Runs on cpu, stored as fp" in outcome.out
    assert re.search(r"\((1 thread|\d{2,} threads|[2-9] threads), ", outcome.out)
    for form in ("int4", "int8", "fp16", "fp32"):
        assert f"\n  {form} " in outcome.out


def test_check_runs_a_step(tutor: Tutor, tiny_model: str, tmp_path: Path) -> None:
    """A model whose output contains NaN values loads, but does not pass the check."""
    broken = Path(shutil.copytree(tiny_model, tmp_path / "broken")) / "model.safetensors"
    wrong = {name: tensor * math.nan for name, tensor in load_file(broken).items()}
    broken.unlink()
    save_file(wrong, broken)
    outcome = tutor("model", "check", "--model", str(broken.parent), "--device", "cpu")
    assert outcome.status == 1
    assert "damaged" in outcome.err


def test_an_unavailable_device(
    tutor: Tutor, tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tutor("model", "check", "--model", tiny_model, "--device", "gpu").status == 2
    monkeypatch.setenv("TUTOR_DEVICE", "gpu")
    outcome = tutor("model", "check", "--model", tiny_model)
    assert (outcome.status, "'gpu'" in outcome.err) == (2, True)


def _pull_finds(found: FoundModel) -> Callable[..., tuple[FoundModel, bool]]:
    def pull(
        on_progress: Callable[[PullProgress], None], *, cancelled: Event, shared: bool
    ) -> tuple[FoundModel, bool]:
        on_progress(PullProgress("fetching", 1, 2))
        return found, True

    return pull


def test_pull_ends_with_the_path(
    tutor: Tutor, tiny_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = FoundModel(name="tiny", kind="folder", path=Path(tiny_model))
    monkeypatch.setattr(pull_module, "pull", _pull_finds(found))
    outcome = tutor("model", "pull", "--json")
    events = [decode(line) for line in outcome.out.splitlines()]
    assert events[0] == PullProgress("fetching", 1, 2)
    assert PullProgress("converting") in events
    assert events[-1] == Pulled(tiny_model, fetched=True)
    assert outcome.status == 0

    plain = tutor("model", "pull")
    assert tiny_model in plain.out
    assert "Downloading the model" in plain.err
    assert "\x1b" not in plain.out + plain.err


def test_pull_ends_with_the_error(tutor: Tutor, monkeypatch: pytest.MonkeyPatch) -> None:
    def pull(*_: object, **__: object) -> None:
        raise NoSpace("It is full.", "Make room.")

    monkeypatch.setattr(pull_module, "pull", pull)
    outcome = tutor("model", "pull", "--json")
    assert decode(outcome.out.splitlines()[-1]) == PullFailed(
        "NoSpace", "It is full.", "Make room."
    )
    assert outcome.status == 1
    assert "It is full. Make room." in outcome.err.replace("\n", " ")


@pytest.mark.parametrize("asked", [signal.SIGINT, *later([signal.SIGTERM, signal.SIGHUP])])
def test_pull_can_be_stopped(asked: signal.Signals) -> None:
    """The package manager waits for a server that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple/"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        process = subprocess.Popen(
            [sys.executable, "-m", "tutor", "model", "pull", "--json"],
            env=clean | {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        silent.settimeout(60)
        connection, _ = silent.accept()
        process.send_signal(asked)
        out, _ = process.communicate(timeout=60)
        connection.close()
    assert process.returncode == 130
    last = decode(out.splitlines()[-1])
    assert isinstance(last, PullFailed)
    assert last.kind == "RequestCancelled"
    assert [path.name for path in paths.user_models_folder().iterdir()] == [".pull.lock"]


def test_a_file_that_only_llama_cpp_can_run_is_marked(
    tutor: Tutor,
) -> None:
    folder = paths.user_models_folder()
    folder.mkdir(parents=True, exist_ok=True)
    write_gguf(folder / "ours.gguf")
    write_gguf(folder / "other.gguf", architecture="falcon")
    lines = tutor("model", "list").out.splitlines()
    assert [("needs llama.cpp" in line) for line in lines if "ours.gguf" in line] == [False]
    assert [("needs llama.cpp" in line) for line in lines if "other.gguf" in line] == [True]
    listed = {
        each["name"]: each["llamacpp"] for each in json.loads(tutor("model", "list", "--json").out)
    }
    assert (listed["ours"], listed["other"]) == (False, True)

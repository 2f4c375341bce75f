"""Test a login that only runs tutor, up to the first screen."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command_line import Tutor
from tutor import paths
from tutor.allowed import EVERYTHING, LOCKED_DOWN
from tutor.cli import lockdown
from tutor.learner.progress import Progress
from tutor.learner.records import Answered

if sys.platform == "win32":
    pytest.skip("there are no logins over SSH on Windows", allow_module_level=True)

REFUSED = (
    "tutor: This login only runs tutor: Other commands are not allowed.\n"
    "Log in without a command: `ssh -t HOST`.\n"
)


# --- requests by a client -------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["id", "", "tutor lessons", "--version", "scp -t /tmp", "-c id"])
@pytest.mark.parametrize("before", [(), ("--kiosk",), ("--kiosk", "--learner", "ada")])
def test_a_command_for_the_login_shell_is_not_run(
    tutor: Tutor, asked: str, before: tuple[str, ...]
) -> None:
    outcome = tutor(*before, "-c", asked)
    assert (outcome.status, outcome.out, outcome.err) == (2, "", REFUSED)


def test_a_command_for_sshd_is_not_run(tutor: Tutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_ORIGINAL_COMMAND", "internal-sftp")
    outcome = tutor("--kiosk")
    assert (outcome.status, outcome.out, outcome.err) == (2, "", REFUSED)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lessons"], "cannot be combined with a command"),
        (["lab", "rag"], "cannot be combined with a command"),
        (["progress", "import", "/etc/passwd"], "cannot be combined with a command"),
        (["--model", "hf:owner/repo"], "does not download models"),
        (["--shell"], "usage:"),
        (["sh"], "usage:"),
        (["--idle-limit", "-1"], "is not a number"),
        (["--idle-limit", "nan"], "is not a number"),
    ],
)
def test_a_command_line_that_contradicts_itself_is_refused(
    tutor: Tutor, arguments: list[str], said: str
) -> None:
    outcome = tutor("--kiosk", *arguments)
    assert outcome.status == 2
    assert said in outcome.err


def test_the_login_shell_is_declared() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert 'tutor-kiosk = "tutor.cli.kiosk:main"' in project


def test_the_login_shell_refuses_as_the_option_does() -> None:
    code = "import sys; from tutor.cli.kiosk import main; sys.exit(main())"
    told = subprocess.run(
        [sys.executable, "-c", code, "-c", "id"], capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stdout, told.stderr) == (2, "", REFUSED)


@pytest.mark.parametrize(
    ("locked", "given", "minutes"),
    [(True, None, 30.0), (True, 5.0, 5.0), (True, 0.0, None), (False, None, None), (False, 2, 2)],
)
def test_the_idle_limit(locked: bool, given: float | None, minutes: float | None) -> None:
    options = argparse.Namespace(kiosk=locked, idle_limit=given)
    assert lockdown.idle_minutes(options) == minutes
    assert lockdown.allowed(options) is (LOCKED_DOWN if locked else EVERYTHING)


# --- the environment ------------------------------------------------------------------------------

HOSTILE = {
    "PYTHONINSPECT": "1",
    "PYTHONPATH": "/evil",
    "PYTHONSTARTUP": "/evil.py",
    "PYTHONSAFEPATH": "",
    "LD_LIBRARY_PATH": "/evil",
    "TEXTUAL_DRIVER": "evil:Driver",
    "TEXTUAL_LOG": "/evil.log",
    "TEXTUAL_SCREENSHOT": "1",
    "TUTOR_DATA": "/evil",
    "TUTOR_CONFIG": "/evil",
    "TUTOR_SHARED": "/evil",
    "TUTOR_MODEL": "hf:evil/evil",
    "TUTOR_LEARNER": "evil",
    "TUTOR_BASE_URL": "http://evil/",
    "OPENAI_API_KEY": "evil",
    "XDG_DATA_HOME": "/evil",
    "HOME": "/evil",
    "USER": "evil",
    "PATH": "/evil",
    "EDITOR": "evil",
    "PAGER": "evil",
    "BROWSER": "evil",
    "SHELL": "/bin/sh",
    "TZ": ":/evil",
    "LC_MESSAGES": "../../evil",
    "LANG ": "x",
    "LC_ALL; id": "C",
    "COLORTERM": "\x1b]0;x",
}
KEPT = {
    "TERM": "xterm-256color",
    "LANG": "de_DE.UTF-8",
    "LC_CTYPE": "C.UTF-8",
    "NO_COLOR": "1",
    "SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22",
}


def test_only_language_and_terminal_are_kept_of_the_environment() -> None:
    kept = lockdown.clean(HOSTILE | KEPT)
    assert kept.items() >= KEPT.items()
    others = {name for name, value in kept.items() if value == HOSTILE.get(name)}
    assert others == set()
    assert set(kept) - set(KEPT) <= {
        *("HOME", "USER", "LOGNAME", "PATH"),
        *("PYTHONSAFEPATH", "PYTHONNOUSERSITE", "PYTHONDONTWRITEBYTECODE", "HF_HUB_OFFLINE"),
        "PYTHON_KEYRING_BACKEND",
    }
    assert lockdown.clean(kept) == kept  # so a restarted program keeps its environment


LOCKED = """
import argparse, json, os, sys
from pathlib import Path
from tutor.cli.main import parser, _settle
if __name__ == "__main__":
    given = sys.argv[1:]
    options = parser().parse_args(given)
    _settle(options, given)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
    print(json.dumps([kept, options.learner, str(options.data_folder), os.umask(0)]))
"""


def test_the_clients_environment_has_no_effect(tmp_path: Path) -> None:
    hostile = {name: value for name, value in HOSTILE.items() if not name.startswith("PYTHON")}
    told = subprocess.run(
        [sys.executable, "-c", LOCKED, "--kiosk", "--data", tmp_path / "data"],
        env=hostile | KEPT,
        capture_output=True,
        text=True,
        check=True,
    )
    environment, learner, data, umask = json.loads(told.stdout)
    assert (learner, data, umask) == ("me", str(tmp_path / "data"), 0o077)
    assert environment["TUTOR_DATA"] == data
    assert environment["TUTOR_LEARNER"] == "me"
    assert "evil" not in json.dumps(environment)


def test_variables_that_python_has_already_obeyed_are_undone(tmp_path: Path) -> None:
    """With PYTHONINSPECT, Python's prompt would appear when tutor ends."""
    told = subprocess.run(
        [sys.executable, "-m", "tutor", "--kiosk", "--data", tmp_path / "data"],
        env={**os.environ, "PYTHONINSPECT": "1"},
        input="print(6 * 7)\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert told.returncode == 1
    assert "is not a terminal" in told.stderr
    assert "42" not in told.stdout


@pytest.mark.parametrize("option", [("--data", "{}"), ("--data={}",)])
def test_the_language_is_the_one_in_the_folder_of_the_login(
    tutor_process: Tutor, tmp_path: Path, option: tuple[str, ...]
) -> None:
    """It must be known before the options are parsed, since it determines their texts."""
    for folder, code in (("login", "de"), ("account", "en")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "config.toml").write_text(f'language = "{code}"\n')
    given = [part.format(tmp_path / "login") for part in option]
    outcome = tutor_process("--kiosk", *given, "--help", TUTOR_DATA=str(tmp_path / "account"))
    assert "das Modell:" in outcome.out


# --- confinement ----------------------------------------------------------------------------------

CONFINED = """
import asyncio, os, pathlib, pty, shutil, socket, subprocess, sys, webbrowser
from tutor.cli.confinement import confine
inside, outside = map(pathlib.Path, sys.argv[1:])
(outside / "old").write_text("as it was")
(inside / "way-out").symlink_to(outside)
confine(inside, (sys.executable, "-m", "tutor.engine"))
tries = {
    "write": lambda: (outside / "new").write_text("x"),
    "append": lambda: (outside / "old").open("a").close(),
    "write as bytes": lambda: open(os.fsencode(outside / "new"), "wb"),
    "low": lambda: os.open(outside / "new", os.O_CREAT | os.O_WRONLY),
    "dots": lambda: (inside / ".." / outside.name / "new").write_text("x"),
    "through a link": lambda: (inside / "way-out" / "new").write_text("x"),
    "replace": lambda: os.replace(inside / "kept", outside / "new"),
    "take away": lambda: os.replace(outside / "old", inside / "taken"),
    "remove": lambda: (outside / "old").unlink(),
    "mkdir": lambda: (outside / "new").mkdir(),
    "chmod": lambda: (outside / "old").chmod(0o777),
    "copy": lambda: shutil.copy(inside / "kept", outside / "new"),
    "link": lambda: os.link(outside / "old", inside / "linked"),
    "symlink": lambda: os.symlink(outside, inside / "another"),
    "system": lambda: os.system("touch " + str(outside / "new")),
    "run": lambda: subprocess.run(["touch", outside / "new"]),
    "run python": lambda: subprocess.run([sys.executable, "-c", "print(1)"]),
    "run another program": lambda: subprocess.run(
        [sys.executable, "-m", "tutor.engine"], executable="/bin/true"
    ),
    "posix_spawn another program": lambda: os.posix_spawn(
        "/bin/true", [sys.executable, "-m", "tutor.engine"], {}
    ),
    "exec": lambda: os.execv("/bin/sh", ["sh"]),
    "fork": lambda: os.fork() or os._exit(0),
    "spawn": lambda: pty.spawn("/bin/sh"),
    "posix_spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "browser": lambda: webbrowser.GenericBrowser("true").open("http://x/"),
    "network": lambda: socket.create_connection(("127.0.0.1", 9), 1),
}
(inside / "kept").write_text("x")
for name, attempt in tries.items():
    try:
        attempt()
    except PermissionError as error:
        assert "not allowed for this login" in str(error), error
    else:
        print("done:", name)
async def engine():
    command = (sys.executable, "-m", "tutor.engine", "--help")
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
    print("engine", await process.wait())
asyncio.run(engine())
(inside / "deep").mkdir()
os.replace(inside / "kept", inside / "deep" / "moved")
print((inside / "deep" / "moved").read_text(), sorted(os.listdir(outside)))
"""


def test_a_confined_process_changes_one_folder_and_starts_the_engine(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    told = subprocess.run(
        [sys.executable, "-c", CONFINED, inside, outside],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert told.stdout == "engine 0\nx ['old']\n", told.stdout + told.stderr
    assert (outside / "old").read_text() == "as it was"


# --- learners -------------------------------------------------------------------------------------


def test_several_learners_share_an_account(tutor: Tutor) -> None:
    record = Answered(at=1.0, question="q", version=1, lesson="one-question", correct=True)
    Progress.open(paths.learner_folder("ada")).record(record)

    def cards(*arguments: str) -> int:
        return len(json.loads(tutor(*arguments).out)["cards"])

    assert cards("--learner", "ada", "progress", "--json") == 1
    assert cards("progress", "--learner", "ada", "--json") == 1
    assert cards("progress", "--learner", "bob", "--json") == 0
    assert cards("progress", "--json") == 0


@pytest.mark.parametrize(
    ("command", "name"),
    [
        *((["progress"], name) for name in ("../me", "a/b", "..", "/etc", ".ssh", "a\nb")),
        (["review", "--due"], "\x1b[31m"),
        (["review", "--cap", "5"], "../me"),
        (["progress", "export"], "../me"),
        (["report"], "../me"),
    ],
)
def test_a_name_cannot_lead_to_another_folder(
    tutor: Tutor, command: list[str], name: str, tmp_path: Path
) -> None:
    outcome = tutor(*command, f"--learner={name}")
    assert outcome.status == 2
    assert "can't be used as a learner's name" in outcome.err
    assert "\x1b" not in outcome.err
    assert not list(tmp_path.rglob("*.json"))


def test_each_learner_has_a_labs_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = paths.labs_folder()
    monkeypatch.setenv("TUTOR_LEARNER", "ada")
    assert paths.labs_folder() == paths.learner_folder("ada") / "labs" != mine

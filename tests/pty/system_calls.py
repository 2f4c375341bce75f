"""The system calls of a program and its children, as strace reports them."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

_CHANGING = (
    *("creat", "mkdir", "mkdirat", "rename", "renameat", "renameat2", "unlink", "unlinkat"),
    *("link", "linkat", "symlink", "symlinkat", "truncate", "chmod", "fchmodat"),
)
_TRACED = ("execve", "execveat", "open", "openat", "openat2", "connect", *_CHANGING)
_CALL = re.compile(r"^\d+ +(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)")
_PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')
_FOR_WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")


class Calls(NamedTuple):
    """The successful calls: `programs` are command lines as strace writes them.

    `changed` are paths, `reached` addresses other than local ones.
    """

    programs: list[str]
    changed: set[str]
    reached: list[str]


@cache
def can_trace() -> bool:
    """Return whether strace is installed and permitted."""
    if shutil.which("strace") is None:
        return False
    tried = subprocess.run(["strace", "-f", "true"], capture_output=True, check=False)
    return tried.returncode == 0


def traced(record: Path) -> list[str]:
    """Return what to put before a command, to have its calls in the file `record`."""
    which = f"trace={','.join(_TRACED)}"
    return ["strace", "-f", "--seccomp-bpf", "-qq", "-s", "400", "-e", which, "-o", str(record)]


def calls(record: Path) -> Calls:
    programs, changed, reached = [], set(), []
    for line in _whole_lines(record):
        found = _CALL.match(line)
        if found is None or found["result"].startswith("-"):
            continue
        name, arguments = found["name"], found["arguments"]
        if name.startswith("exec"):
            programs.append(arguments)
        elif name == "connect":
            if "AF_UNIX" not in arguments:
                reached.append(arguments)
        elif name in _CHANGING or _FOR_WRITING.search(arguments):
            changed.update(_PATH.findall(arguments))
    return Calls(programs, changed, reached)


def _whole_lines(record: Path) -> list[str]:
    """Yield whole calls: strace splits a call in two lines if another process interrupts it."""
    begun: dict[str, str] = {}
    lines = []
    for line in record.read_text("utf-8", "replace").splitlines():
        process = line.split(maxsplit=1)[0]
        if line.endswith("<unfinished ...>"):
            begun[process] = line.removesuffix("<unfinished ...>")
        elif "resumed>" in line:
            lines.append(begun.pop(process, process) + line.partition("resumed>")[2])
        else:
            lines.append(line)
    return lines

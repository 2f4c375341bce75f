"""Pin the versions of everything that tutor depends on, in packaging/constraints.txt.

    python -m tools.constraints            # write the file
    python -m tools.constraints --check    # check that it matches this environment

With `pip install --constraint`, hosts install the versions that the tests ran with. The file lists
the packages in this environment that tutor needs with the extras in `EXTRAS`. The versions are
written without the local part, so that they are also valid for the builds of PyTorch for other
devices (2.13.0 instead of 2.13.0+cpu).
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
FILE = ROOT / "packaging" / "constraints.txt"
EXTRAS = ("remote", "gemini", "serve")
"""The extras that hosts install, and whose tests run on every change."""
_HEADING = """\
# The versions that the tests ran with: docs/hosting.md.
# Written by `make constraints`; don't edit it by hand.
"""


def main(arguments: list[str]) -> int:
    wanted = contents()
    if arguments == ["--check"]:
        if FILE.read_text(encoding="utf-8") == wanted:
            return 0
        print(f"{FILE.name} is stale. Run `make constraints`.", file=sys.stderr)
        return 1
    FILE.write_text(wanted, encoding="utf-8")
    return 0


def contents() -> str:
    """Return the text that the file should have in this environment."""
    versions = installed(requirements())
    pins = (f"{name}=={version}\n" for name, version in sorted(versions.items()))
    return _HEADING + "".join(pins)


def pinned() -> dict[str, Version]:
    """Return the versions in the file, by name."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {name: Version(version) for name, version in pairs}


def requirements() -> list[Requirement]:
    """Return the requirements in pyproject.toml, including the extras in `EXTRAS`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for extra in EXTRAS for line in optional[extra])]
    return [Requirement(line) for line in lines]


def installed(required: Iterable[Requirement]) -> dict[str, str]:
    """Return the installed versions of the requirements, and of everything that they require.

    Raises `PackageNotFoundError` if one of them is not installed.
    """
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = list(required)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting.extend(_required_by(name, extra))
        found[name] = Version(metadata.version(name)).public
    return found


def _required_by(name: str, extra: str) -> Iterator[Requirement]:
    for line in metadata.requires(name) or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m tools.licenses`: list tutor's dependencies with their licenses.

The output is the table in docs/security.md. The exit status is 1 if a license is not allowed or not
named. The dependencies are read from pyproject.toml, and the licenses from the metadata of the
installed packages. A package that is missing from this environment is listed as "not installed
here".
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).parent.parent / "pyproject.toml"

ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "BSD",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CNRI-Python",
    "MIT",
    "MPL-2.0",
    "Zlib",
}
"""The licenses that set no conditions for software that uses the package."""

FOR_TESTS_ALONE = {"pyte": {"LGPLv3"}}
"""Additional licenses allowed for packages that tutor neither ships nor imports."""

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_WORDS = re.compile(r"[\w.-]+")
_ABSENT = "not installed here"
# The names that packages use without an SPDX expression, in a classifier or in a sentence.
_MEANT = {
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "BSD License": "BSD",
    "BSD 2-Clause License": "BSD-2-Clause",
    "MIT License": "MIT",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPLv3",
}


class Dependency(NamedTuple):
    """A direct dependency. `extra` is empty if every installation includes the dependency."""

    name: str
    extra: str
    license: str

    @property
    def installed(self) -> bool:
        return self.license != _ABSENT

    @property
    def allowed(self) -> bool:
        allowed = ALLOWED | FOR_TESTS_ALONE.get(self.name, set())
        found = set(_WORDS.findall(self.license)) - {"AND", "OR"}
        found -= {"WITH", "LLVM-exception"}  # exceptions only add permissions
        return bool(found) and found <= allowed


def dependencies() -> Iterator[Dependency]:
    """Yield every direct dependency, in the order of pyproject.toml."""
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    for extra, requirements in {"": project["dependencies"], **_extras(project)}.items():
        for requirement in requirements:
            match = _NAME.match(requirement)
            if match and match[0] != project["name"]:
                yield Dependency(match[0], extra, license_of(match[0]))


def _extras(project: dict[str, dict[str, list[str]]]) -> dict[str, list[str]]:
    return project["optional-dependencies"]


def license_of(name: str) -> str:
    """Return the license of a package, as an SPDX expression if the package has one."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return _ABSENT
    if expressions := about.get_all("License-Expression"):
        return str(expressions[0])
    classifiers = about.get_all("Classifier") or []
    named = [each.split(" :: ")[-1] for each in classifiers if each.startswith("License :: OSI")]
    written = about.get_all("License") or [""]
    said = named or [str(written[0]).partition("\n")[0]]
    return " AND ".join(_MEANT.get(each, each) for each in said)


def table(found: Sequence[Dependency]) -> str:
    rows = [f"| {each.name} | {each.extra or '-'} | {each.license} |" for each in found]
    return "\n".join(["| package | extra | license |", "|---|---|---|", *rows])


def main() -> int:
    found = list(dependencies())
    print(table(found))
    refused = [each.name for each in found if each.installed and not each.allowed]
    for name in refused:
        print(f"The license of {name} is not allowed.", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())

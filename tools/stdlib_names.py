"""Write `assets/stdlib-names.json`: the names in the modules that short programs import.

    python tools/stdlib_names.py > assets/stdlib-names.json

The ghost text lab looks up names there (`tutor.labs.ghost_text.code_check`), so that it need not
import untrusted code. Run this with the newest Python that the course supports; the list records
the version.
"""

from __future__ import annotations

import json
import platform
import sys
from importlib import import_module

MODULES = (
    *("argparse", "base64", "bisect", "calendar", "collections", "copy", "csv", "datetime"),
    *("decimal", "fractions", "functools", "glob", "hashlib", "heapq", "io", "itertools", "json"),
    *("logging", "math", "operator", "os", "os.path", "pathlib", "pickle", "pprint", "random"),
    *("re", "secrets", "shutil", "socket", "sqlite3", "statistics", "string", "subprocess"),
    *("sys", "tempfile", "textwrap", "threading", "time", "timeit", "urllib.parse"),
    *("urllib.request", "uuid"),
)


def main() -> None:
    """Print one module per line, so that a diff shows the changes of a newer list."""
    lines = (f"{json.dumps(module)}: {json.dumps(sorted(public(module)))}" for module in MODULES)
    sys.stdout.write(f'{{"python": "{platform.python_version()}", "modules": {{\n')
    sys.stdout.write(",\n".join(lines) + "\n}}\n")


def public(module: str) -> list[str]:
    return [name for name in dir(import_module(module)) if not name.startswith("_")]


if __name__ == "__main__":
    main()

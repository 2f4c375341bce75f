"""Measure tutor, and print the results in one table.

    python -m tests.benchmarks            all groups
    python -m tests.benchmarks model      only the named groups
    python -m tests.benchmarks --full     10,000 steps in the memory test (takes 5 minutes longer)

This needs the extras `test` and `reference`, and the default model (`tutor model pull`, or
TUTOR_MODEL). Each group is a module of tests/benchmarks with a function `measure` that returns
rows. Close other programs first. tutor and the program that it is compared with run alternately,
under the same conditions, and the rows show medians. Even so, a busy machine slows down a program
with two threads more than a program with one thread.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
from pathlib import Path

from tests.benchmarks.table import Measured, markdown
from tutor.lm.fast.lean_import import import_lean
from tutor.lm.fast.waiting import settle_waiting

settle_waiting()  # before torch is imported, as in tutor itself
import_lean()
os.environ.setdefault("TUTOR_DEVICE", "cpu")  # the folder of the peers

import torch  # noqa: E402

FOLDER = Path(__file__).parent
FULL_STEPS = 10_000


def groups() -> list[str]:
    return sorted(
        path.stem for path in FOLDER.glob("*.py") if path.stem not in ("table", "__main__")
    )


def machine() -> str:
    """Return the machine that the figures were measured on."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    kernels = torch.backends.cpu.get_cpu_capability()
    return (
        f"{name}, {os.cpu_count()} cores, {kernels}, Python {platform.python_version()}, "
        f"torch {torch.__version__}, load {os.getloadavg()[0]:.1f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("groups", nargs="*", help=", ".join(groups()))
    parser.add_argument("--full", action="store_true", help="10,000 steps for the engine's memory")
    options = parser.parse_args()
    chosen = options.groups or groups()
    if unknown := set(chosen) - set(groups()):
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    rows: list[Measured] = []
    before = machine()
    for name in chosen:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        more = {"steps": FULL_STEPS} if options.full and name == "engine" else {}
        rows += importlib.import_module(f"tests.benchmarks.{name}").measure(**more)
    print(before)
    print()
    print(markdown(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())

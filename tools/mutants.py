"""Make deliberate mistakes, one at a time, and report which of them the tests catch.

    python -m tools.mutants             all of `tools.mutations`
    python -m tools.mutants sampling    the mistakes in files whose path contains the word

Each mistake is made in a copy of the tree, where the tests that belong to it are run. The exit
status is 1 if a mistake is not caught, or if the code that it changes is not found.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tools.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).parent.parent
COPIED = ("tutor", "tests", "tools", "pyproject.toml")
LONGEST = 600.0
"""The time, in seconds, after which tests that hang because of a mistake are killed."""

_TIMES = count(1)
HEAVY = ["pytest", "hypothesis.strategies", "torch", "numpy", "textual.app", "msgspec", "fsrs"]
"""Third-party modules that the tests import. They are imported only once, before forking."""


def main(words: Sequence[str]) -> int:
    chosen = [each for each in MUTATIONS if all(word in each.file for word in words)]
    if lost := [each for each in chosen if not found_once(each)]:
        for each in lost:
            print(f"{each.file}: not found exactly once: {each.original!r}", file=sys.stderr)
        return 1
    survived = 0
    with copy_of_the_tree() as folder:
        os.environ["PYTHONPATH"] = str(folder)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(HEAVY)
        for tests in dict.fromkeys(each.tests for each in chosen):
            if not tests_pass(tests, folder, context):
                print(f"They fail without a mistake: {' '.join(tests)}", file=sys.stderr)
                return 1
        for number, mutation in enumerate(chosen, 1):
            begin = time.monotonic()
            caught = is_caught(mutation, folder, context)
            survived += not caught
            took, result = time.monotonic() - begin, "caught" if caught else "SURVIVED"
            print(f"{number:3} {result:8} {took:5.1f} s  {mutation.file}", flush=True)
            if not caught:
                print(f"      - {mutation.original.strip()}\n      + {mutation.mutated.strip()}")
    print(f"{len(chosen) - survived} of {len(chosen)} mistakes are caught.")
    return 1 if survived else 0


def found_once(mutation: Mutation) -> bool:
    return (ROOT / mutation.file).read_text(encoding="utf-8").count(mutation.original) == 1


@contextmanager
def copy_of_the_tree() -> Iterator[Path]:
    """Yield a folder with a copy of the code to be changed, and links to everything else."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        without = shutil.ignore_patterns("__pycache__", "__snapshots__")
        for each in ROOT.iterdir():
            if each.name not in COPIED:
                if not each.name.startswith("."):
                    (folder / each.name).symlink_to(each)
            elif each.is_dir():
                shutil.copytree(each, folder / each.name, ignore=without)
            else:
                shutil.copy(each, folder)
        models = Path(".pytest_cache", "d", "tutor-models")  # so that no test downloads a model
        if (ROOT / models).is_dir():
            shutil.copytree(ROOT / models, folder / models, copy_function=linked)
        yield folder


def linked(file: str, other: str) -> None:
    """Hard-link a file, or copy it if the disk does not allow links."""
    try:
        os.link(file, other)
    except OSError:
        shutil.copy2(file, other)


def is_caught(
    mutation: Mutation, folder: Path, context: multiprocessing.context.ForkServerContext
) -> bool:
    """Return True if a test fails with this mistake."""
    file = folder / mutation.file
    before = file.read_text(encoding="utf-8")
    write(file, before.replace(mutation.original, mutation.mutated))
    try:
        return not tests_pass(mutation.tests, folder, context)
    finally:
        write(file, before)


def write(file: Path, text: str) -> None:
    """Write a file with a new modification time, so that Python does not reuse older bytecode."""
    file.write_text(text, encoding="utf-8")
    os.utime(file, (next(_TIMES),) * 2)


def tests_pass(
    tests: Sequence[str], folder: Path, context: multiprocessing.context.ForkServerContext
) -> bool:
    """Return True if all these tests pass in time."""
    run = context.Process(target=run_tests, args=(folder, tests))
    run.start()
    run.join(LONGEST)
    if run.is_alive():
        run.kill()
        run.join()
    return run.exitcode == 0


def run_tests(folder: Path, tests: Sequence[str]) -> None:
    """Run the tests in a child process, which exits with the status of pytest."""
    import pytest

    os.chdir(folder)
    sys.path[:0] = [str(folder)]
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    status = pytest.main(["-x", "-q", *tests])
    os._exit(int(status))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Look for errors with random input, for any length of time: `python -m tests.fuzz`.

Each case is a program with a seed, which runs in a separate process and fails if it finds an error.
The seeds in `seeds.txt` have found errors before, and are tried first. All other seeds are new,
unless `--seed` sets the first seed.

The output of each case that fails is kept in `build/fuzz`, with the command that reproduces it. Add
its seed to `seeds.txt`, and a test of its cause to the tests. The exit status is 1 if a case
failed.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

SEEDS = Path(__file__).with_name("seeds.txt")
KEPT = Path("build", "fuzz")
LONGEST = 900.0
"""The maximum seconds of one case, after which it counts as a hang."""

Command = tuple[str, ...]
SEED = "SEED"
"""The part of a command that is replaced by the seed."""

_PROPERTIES = (
    sys.executable,
    "-m",
    "pytest",
    "-q",
    "-x",
    "-p",
    "no:randomly",
    "-p",
    "no:cacheprovider",
    "--hypothesis-seed",
    SEED,
    "-o",
    f"faulthandler_timeout={LONGEST / 2}",  # the output says where a case hangs
)
TARGETS: Mapping[str, Command] = {
    "keys": (sys.executable, "-m", "tests.fuzz.keys", SEED),
    "templates": (sys.executable, "-m", "tests.fuzz.templates", SEED),
    "files": (
        *_PROPERTIES,
        *("tests/lm/formats/test_hostile_files.py", "-k", "short"),
    ),
    "store": (
        *_PROPERTIES,
        *("tests/learner/test_tampered.py", "tests/learner/test_damage_property.py"),
        *("tests/learner/test_mending_property.py", "tests/learner/test_progress_property.py"),
    ),
    "lessons": (
        *_PROPERTIES,
        *("tests/course/test_parse.py", "tests/course/test_any_course.py"),
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    first = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    print(
        f"first seed {first}, {options.minutes:g} minutes: {', '.join(options.target)}", flush=True
    )
    cases = itertools.chain(known(SEEDS, options.target), new(first, options.target))
    return run(cases, options.minutes * 60, KEPT)


def known(file: Path, names: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield the target and the seed of each case that has found an error before."""
    for line in file.read_text(encoding="ascii").splitlines():
        name, _, seed = line.partition(" ")
        if name in names:
            yield name, int(seed.split("#")[0])


def new(first: int, names: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield cases without end, in turn for each target."""
    for seed in itertools.count(first):
        for name in names:
            yield name, seed


def run(
    cases: Iterator[tuple[str, int]],
    seconds: float,
    kept: Path,
    targets: Mapping[str, Command] = TARGETS,
) -> int:
    """Run cases until the time is over. Return 1 if one of them failed, and otherwise 0."""
    end, counts, failed = time.monotonic() + seconds, dict.fromkeys(targets, 0), 0
    for name, seed in cases:
        if time.monotonic() > end:
            break
        command = [part.replace(SEED, str(seed)) for part in targets[name]]
        counts[name] += 1
        output = _failure(command)
        if output is not None:
            failed += 1
            kept.mkdir(parents=True, exist_ok=True)
            file = kept / f"{name}-{seed}.txt"
            again = f"{name} {seed}: {' '.join(command)}"
            file.write_bytes(f"{again}\n\n".encode() + output)
            print(f"found {again}\n  output: {file}", flush=True)
    tried = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    print(f"cases: {tried or 'none'}; {failed} found something", flush=True)
    return 1 if failed else 0


def _failure(command: Sequence[str]) -> bytes | None:
    """Run one case, and return its output if it fails or takes too long."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name != "CI"},  # see conftest
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()[0] + f"\nstill running after {LONGEST:g} seconds".encode()
    return output if process.returncode else None


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, metavar="N", help="(default: 10)")
    parser.add_argument("--seed", type=int, metavar="N", help="(default: a new one each time)")
    parser.add_argument(
        "target", nargs="*", default=list(TARGETS), help=f"any of: {', '.join(TARGETS)}"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.target) - set(TARGETS):
        parser.error(f"unknown targets: {', '.join(sorted(unknown))}")
    return options


if __name__ == "__main__":
    sys.exit(main())

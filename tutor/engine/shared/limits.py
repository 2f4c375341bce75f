"""The limits of a shared engine, in total and per learner."""

from __future__ import annotations

import argparse

import msgspec

MEGABYTE = 1024 * 1024
BEGIN = b"\n"
"""The parent process writes this to a spare engine to make it accept connections."""
NOT_LOADED = 3
"""The exit status of an engine that cannot load its model."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    learners: int = 200
    """The maximum number of app windows connected at the same time."""
    of_one_account: int = 8
    """The maximum number of app windows per user account.

    If all learners share an account, set this as high as `learners`.
    """
    sessions: int = 32
    """The maximum number of open texts per app window, including branches."""
    context: int = 2048
    """The maximum number of tokens in a text.

    A KV cache for 2,048 tokens of SmolLM2-135M takes 96 MB.
    """
    memory: int = 512
    """The maximum total size of all KV caches, in megabytes."""
    trainings: int = 4
    """The maximum number of networks that labs can train at the same time."""
    idle: int = 15
    """The number of minutes without a request after which a learner's caches are freed."""
    work: int = 60
    """The maximum computing time of a request, in seconds."""
    waiting: int = 64
    """The maximum number of pending requests per app window."""
    message: int = 4
    """The maximum size of a message from a learner, in megabytes."""


HELP = {
    "learners": "maximum number of connected app windows",
    "of_one_account": "maximum number of connected app windows per account",
    "sessions": "maximum number of open texts per app window, including branches",
    "context": "maximum number of tokens in a text",
    "memory": "maximum total size of all caches, in MB",
    "trainings": "maximum number of networks in training at the same time",
    "idle": "minutes of inactivity before a learner's caches are dropped",
    "work": "maximum duration of a request, in seconds",
}
"""The help texts of the limits that have a command-line option, by the name of the limit."""


def add_limits(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("limits")
    for name, meaning in HELP.items():
        default = getattr(Limits(), name)
        option = "--" + name.replace("_", "-")
        group.add_argument(
            option,
            type=_count,
            default=default,
            metavar="N",
            help=f"{meaning} (default: {default})",
        )


def limits_of(options: argparse.Namespace) -> Limits:
    return Limits(**{name: getattr(options, name) for name in HELP})


def as_arguments(limits: Limits) -> list[str]:
    """Return the command-line arguments that give another process the same limits."""
    return [f"--{name.replace('_', '-')}={getattr(limits, name)}" for name in HELP]


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number

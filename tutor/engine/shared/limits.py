"""The limits of a shared engine: for all learners together, and for each of them."""

from __future__ import annotations

import argparse

import msgspec

MEGABYTE = 1024 * 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    learners: int = 200
    """Screens connected at the same time."""
    of_one_account: int = 8
    """Screens of one account. If all learners share an account, set this as high as `learners`."""
    sessions: int = 32
    """Texts that one screen may keep open, with their branches."""
    context: int = 2048
    """Tokens in one text. The cache of 2,048 tokens takes 96 MB with SmolLM2-135M."""
    memory: int = 512
    """Megabytes for the caches of all learners together."""
    trainings: int = 4
    """Networks in training at the same time, in labs."""
    idle: int = 15
    """Minutes without a request after which a learner's caches are dropped, to be computed again
    later.
    """
    work: int = 60
    """Seconds that one request may take."""
    waiting: int = 64
    """The maximum number of pending requests per screen."""
    message: int = 4
    """The maximum size of one message from a learner, in megabytes."""


HELP = {
    "learners": "screens connected at the same time",
    "of_one_account": "screens connected from one account",
    "sessions": "texts and branches that one screen may keep open",
    "context": "tokens in one text",
    "memory": "megabytes for the caches of all learners together",
    "trainings": "networks in training at the same time",
    "idle": "minutes without a request after which a learner's caches are dropped",
    "work": "seconds that one request may take",
}
"""The limits that can be set on the command line, with their help."""


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
    """Return the limits as arguments for the command line of another process."""
    return [f"--{name.replace('_', '-')}={getattr(limits, name)}" for name in HELP]


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number

"""What one engine gives to many learners, and to each of them."""

from __future__ import annotations

import argparse

import msgspec

MEGABYTE = 1024 * 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    learners: int = 200
    """Screens that are connected at the same time."""
    of_one_account: int = 8
    """And those of one account of the system. Where all learners share an account: as many."""
    sessions: int = 32
    """Texts that one screen keeps open: branches count."""
    context: int = 2048
    """Tokens of one text. What is computed for so many takes 96 MB for SmolLM2-135M."""
    memory: int = 512
    """Megabytes for what is computed for texts, of all learners together."""
    trainings: int = 4
    """Networks that are trained at the same time, in labs."""
    idle: int = 15
    """Minutes without a request after which what is computed for a learner is dropped. It is
    computed again when they come back."""
    work: int = 60
    """Seconds that one request may take."""
    waiting: int = 64
    """Requests that one screen may have sent without having had the answers."""
    message: int = 4
    """Megabytes of one message of a learner."""


SAID = {
    "learners": "screens that are served at the same time",
    "of_one_account": "and those of one account",
    "sessions": "texts that one screen keeps open",
    "context": "tokens of one text",
    "memory": "megabytes for what is computed for texts, of all learners together",
    "trainings": "networks that are trained at the same time",
    "idle": "minutes after which what is computed for a learner who does nothing is dropped",
    "work": "seconds that one request may take",
}
"""The limits that can be set on the command line, and what is said about them there."""


def add_limits(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("limits")
    for name, says in SAID.items():
        default = getattr(Limits(), name)
        option = "--" + name.replace("_", "-")
        group.add_argument(
            option, type=_count, default=default, metavar="N", help=f"{says} (default: {default})"
        )


def limits_of(options: argparse.Namespace) -> Limits:
    return Limits(**{name: getattr(options, name) for name in SAID})


def as_arguments(limits: Limits) -> list[str]:
    """The same limits for the command line of another process."""
    return [f"--{name.replace('_', '-')}={getattr(limits, name)}" for name in SAID]


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number

"""The options for the sampler's settings."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from tutor.errors import UsageError
from tutor.language import _
from tutor.lm.distribution import PLAIN, SamplerSettings

_NAMES = ("temperature", "top_k", "top_p", "min_p")


def add_options(group: argparse._ArgumentGroup, prefix: str = "") -> None:
    """Add `--greedy`, `--temperature` and so on, with `prefix` before each name."""
    start = f"--{prefix}"
    group.add_argument(
        f"{start}greedy", action="store_true", help=_("always take the most probable token")
    )
    group.add_argument(
        f"{start}temperature",
        type=float,
        metavar="T",
        help=_("below 1 is less random, above 1 more random"),
    )
    group.add_argument(
        f"{start}top-k", type=int, metavar="K", help=_("keep the K most probable tokens")
    )
    group.add_argument(
        f"{start}top-p",
        type=float,
        metavar="P",
        help=_("keep the most probable tokens until their probabilities sum to P"),
    )
    group.add_argument(
        f"{start}min-p",
        type=float,
        metavar="P",
        help=_("keep tokens with at least P times the highest probability"),
    )


def given(options: argparse.Namespace, prefix: str = "") -> dict[str, Any]:
    """Return the settings that the options specify.

    Raises `UsageError` if two options conflict.
    """
    start = prefix.replace("-", "_")
    found = {
        name: value for name in _NAMES if (value := getattr(options, f"{start}{name}")) is not None
    }
    if getattr(options, f"{start}greedy"):
        if "temperature" in found:
            raise UsageError(
                f"--{prefix}greedy and --{prefix}temperature cannot be combined.",
                "Choose one of them.",
            )
        found["temperature"] = 0.0
    return found


def settings(
    options: argparse.Namespace, prefix: str = "", default: SamplerSettings = PLAIN
) -> SamplerSettings:
    """Return the sampler settings, with the values of `default` where no option is given.

    Raises `SamplerError` if a value is out of range or NaN.
    """
    return msgspec.structs.replace(default, **given(options, prefix))

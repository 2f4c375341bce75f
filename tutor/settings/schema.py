"""The types and defaults of all settings.

TUTOR_CONFIG contains the path of the settings file. If it is not set, the file is in TUTOR_DATA if
that is set, and otherwise in the system's folder for configuration files. Environment variables
override the file, and command-line options override both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from tutor.errors import UsageError
from tutor.language import _, ngettext

ThemeName = Literal["auto", "dark", "light", "contrast", "terminal"]
Switch = Literal["auto", "on", "off"]

Probability = Annotated[float, msgspec.Meta(gt=0, le=1)]
PerDay = Annotated[int, msgspec.Meta(ge=0, le=9999)]


class ReviewSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings for reviews.

    `retention` is the probability that the user still knows an answer on the day when its review is
    due. A higher value means more reviews. The other two settings limit the number of reviews per
    day, and how many of them may be first reviews.
    """

    retention: Annotated[float, msgspec.Meta(ge=0.8, le=0.95)] = 0.9
    a_day: PerDay = 40
    new_a_day: PerDay = 10


class SamplerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sampler's initial settings in the stepper. 0 for `top_k` and `min_p` means no limit."""

    temperature: Annotated[float, msgspec.Meta(ge=0, le=10)] = 1.0
    top_k: Annotated[int, msgspec.Meta(ge=0)] = 0
    top_p: Probability = 1.0
    min_p: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings, with their defaults.

    `keys` maps the ids of actions to the keys that trigger them. An empty `model` or `language`
    means the default.
    """

    theme: ThemeName = "auto"
    mouse: Switch = "auto"
    model: str = ""
    language: str = ""
    plain: bool = False
    screen_reader: bool = False
    ascii: bool = False
    low_bandwidth: bool = False
    review: ReviewSettings = ReviewSettings()
    sampler: SamplerSettings = SamplerSettings()
    keys: dict[str, str] = {}


class Problem(msgspec.Struct, frozen=True):
    """A problem in the settings file.

    `line` counts from 1. It is 0 if the problem concerns the whole file.
    """

    line: int
    happened: str
    next_step: str = ""


class SettingsError(UsageError, title="Some settings cannot be used"):
    """Raised when the settings file cannot be read or written."""


def problems_in_one(problems: Sequence[Problem]) -> SettingsError:
    """Combine all problems into one error, to show when tutor starts."""
    first = problems[0]
    count = len(problems) - 1
    there_are = ngettext(
        "There is {count} more problem.", "There are {count} more problems.", count
    ).format(count=count)
    more = f" {there_are}" if count else ""
    return SettingsError(
        f"{first.happened} {first.next_step}".rstrip() + more, _("Run `tutor config check`.")
    )


def reason_in_words(name: str, error: msgspec.ValidationError) -> str:
    """Return a sentence that says why the value of the setting `name` is invalid."""
    said = str(error).partition(" - at ")[0]
    reason = said[:1].lower() + said[1:]
    return _("{name} is invalid: {reason}.").format(name=name, reason=reason)

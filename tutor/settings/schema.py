"""The types and defaults of all settings.

TUTOR_CONFIG contains the path of the settings file. If it is not set, the file is in TUTOR_DATA if
that is set, and otherwise in the system's folder for configuration files. Environment variables
override the file, and command-line options override both.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from tutor.errors import UsageError
from tutor.language import _, ngettext

ThemeName = Literal["auto", "dark", "light", "contrast", "terminal"]
Switch = Literal["auto", "on", "off"]

_LONGEST_VALUE = 40
"""The maximum length of an invalid value in a message."""

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
    """The sampler's initial settings in the stepper. A `top_k` or `min_p` of 0 has no effect."""

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


def reason_in_words(name: str, value: object) -> str:
    """Return a sentence that states the valid values of a setting, and the invalid `value`."""
    return _("{name} {must_be}; it is {value}.").format(
        name=name, must_be=_must_be(name), value=_as_toml(value)
    )


def _must_be(name: str) -> str:
    """Describe the valid values of a setting, as in "must be between 0.8 and 0.95"."""
    from msgspec import inspect  # imported here, because only invalid values need it

    kind = inspect.type_info(Settings)
    for part in name.split("."):
        if isinstance(kind, inspect.StructType):
            kind = next(field.type for field in kind.fields if field.name == part)
    match kind:
        case inspect.LiteralType(values):
            return _("must be one of {values}").format(values=", ".join(map(str, values)))
        case inspect.IntType(ge=low, le=None):
            return _("must be a whole number of at least {low}").format(low=low)
        case inspect.IntType(ge=low, le=high):
            return _("must be a whole number between {low} and {high}").format(low=low, high=high)
        case inspect.FloatType(gt=None, lt=None, ge=low, le=high):
            return _("must be between {low} and {high}").format(low=low, high=high)
        case inspect.FloatType(gt=None, ge=low, lt=high):
            return _("must be at least {low} and less than {high}").format(low=low, high=high)
        case inspect.FloatType(gt=low, le=high):
            return _("must be more than {low} and at most {high}").format(low=low, high=high)
        case inspect.BoolType():
            return _("must be true or false")
        case inspect.DictType():
            return _("must be a table of strings")
        case inspect.StructType():
            return _("must be a table")
    return _("must be a string in quotation marks")


def _as_toml(value: object) -> str:
    """Return a value as it is written in config.toml, or its beginning if it is long."""
    written = json.dumps(value, ensure_ascii=False, default=str)
    return written if len(written) <= _LONGEST_VALUE else written[:_LONGEST_VALUE] + "…"

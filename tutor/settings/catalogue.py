"""The catalog of settings: labels, descriptions, values, and the options that override them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple, get_args

import msgspec

from tutor.language import ORIGINAL, _, interface_languages, with_name
from tutor.settings.schema import Settings, Switch, ThemeName, reason_in_words

Value = str | int | float | bool


class Entry(NamedTuple):
    """A setting, as the settings screen shows it.

    `name` includes the name of the setting's table, such as "review.retention". The arrow keys move
    through the values in `stops`. If `typed` is true, the user can also type in other values. The
    command-line option `option` and the environment variable `variable` set the same value. If
    `next_start` is true, a change takes effect only when tutor starts again.
    """

    name: str
    label: str
    about: str
    stops: tuple[Value, ...] = ()
    typed: bool = False
    option: str = ""
    variable: str = ""
    next_start: bool = False

    @property
    def default(self) -> Value:
        value: Value = value_of(Settings(), self.name)
        return value

    def shown(self, value: Value) -> str:
        """Return a value as the text to show on the screen."""
        if isinstance(value, bool):
            return _("on") if value else _("off")
        if value == "":
            return _("default")
        if value == _OFF_AT.get(self.name):
            return _("off")
        return f"{value:.2f}" if isinstance(value, float) else str(value)

    def parsed(self, text: str) -> Value:
        """Convert text to a value. Raises `ValueError` with an explanation if that fails."""
        text, kind = text.strip(), type(self.default)
        if self.name in _OFF_AT and text.lower() in ("off", _("off")):
            return _OFF_AT[self.name]
        try:
            value: Value = kind(text) if kind is not bool else text.lower() not in _OFF
        except ValueError:
            raise ValueError(reason_in_words(self.name, text)) from None
        if message := invalid(self.name, value):
            raise ValueError(message)
        return value

    def moved(self, value: Value, by: int) -> Value:
        """Return the next (`by` 1) or previous (`by` -1) of the `stops`.

        Only words and switches wrap around at the ends.
        """
        stops = self.stops
        if not stops:
            return value
        if isinstance(value, str | bool):
            at = stops.index(value) if value in stops else 0
            return stops[(at + by) % len(stops)]
        if by > 0:
            return next((stop for stop in stops if stop > value), stops[-1])  # type: ignore[operator]
        lower = (stop for stop in reversed(stops) if stop < value)  # type: ignore[operator]
        return next(lower, stops[0])


_OFF = ("", "off", "false", "no", "0")
"""The strings that switch a setting off. Any other string switches it on."""
_OFF_AT = {"sampler.top_k": 0, "sampler.top_p": 1.0, "sampler.min_p": 0.0}
"""The values that switch a step of the sampler off, as in `tutor.labs.kit.dials`."""
_ON_OFF = (False, True)
_LANGUAGES = _(" or ").join(map(with_name, (ORIGINAL, *interface_languages())))

CATALOGUE: Sequence[tuple[str, tuple[Entry, ...]]] = (
    (
        _("Screen"),
        (
            Entry(
                "theme",
                _("Theme"),
                _(
                    "The colors of the screen. “auto” is dark or light like your terminal's "
                    "background, “contrast” has the strongest colors, and “terminal” uses "
                    "your terminal's own 16 colors."
                ),
                get_args(ThemeName),
                option="--theme",
                variable="TUTOR_THEME",
            ),
            Entry(
                "mouse",
                _("Mouse"),
                _(
                    "Whether you can click and scroll with the mouse. “auto” means on, except over "
                    "SSH."
                ),
                get_args(Switch),
                option="--mouse",
                variable="TUTOR_MOUSE",
                next_start=True,
            ),
            Entry(
                "ascii",
                _("ASCII only"),
                _(
                    "Draw with ASCII characters only, for terminals and fonts that lack other "
                    "characters."
                ),
                _ON_OFF,
                option="--ascii",
                variable="TUTOR_ASCII",
                next_start=True,
            ),
            Entry(
                "low_bandwidth",
                _("Low bandwidth"),
                _(
                    "For slow connections: use fewer colors, and redraw less often while the "
                    "model runs."
                ),
                _ON_OFF,
                option="--low-bandwidth",
                variable="TUTOR_LOW_BANDWIDTH",
                next_start=True,
            ),
            Entry(
                "plain",
                _("Plain mode"),
                _("Show the course as lines of text, for screen readers and simple terminals."),
                _ON_OFF,
                option="--plain",
                variable="TUTOR_PLAIN",
                next_start=True,
            ),
            Entry(
                "screen_reader",
                _("Screen reader"),
                _(
                    "Describe the selected row or field in one line above the keys, and draw no "
                    "lines or bars, for screen readers."
                ),
                _ON_OFF,
                option="--screen-reader",
                variable="TUTOR_SCREEN_READER",
                next_start=True,
            ),
        ),
    ),
    (
        _("Course and model"),
        (
            Entry(
                "language",
                _("Language"),
                _(
                    "The language of the lessons and the interface. You can choose {languages}. "
                    "Texts that are not translated are in English."
                ).format(languages=_LANGUAGES),
                ("", *interface_languages()),
                typed=True,
                option="--language",
                variable="TUTOR_LANGUAGE",
                next_start=True,
            ),
            Entry(
                "model",
                _("Model"),
                _(
                    "The model to load: the name of an installed model, a file, a folder, "
                    "hf:OWNER/REPO, or a remote model such as openai:NAME."
                ),
                typed=True,
                option="--model",
                variable="TUTOR_MODEL",
                next_start=True,
            ),
        ),
    ),
    (
        _("Review"),
        (
            Entry(
                "review.retention",
                _("Desired retention"),
                _(
                    "The probability that you still know an answer on the day when its review "
                    "is due. A higher value brings questions back sooner, so there are more "
                    "reviews."
                ),
                tuple(percent / 100 for percent in range(80, 96)),
                typed=True,
            ),
            Entry(
                "review.a_day",
                _("Reviews a day"),
                _("The maximum number of reviews a day. Further reviews wait for the next day."),
                (0, 5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 9999),
                typed=True,
                option="tutor review --cap",
            ),
            Entry(
                "review.new_a_day",
                _("New questions a day"),
                _("The maximum number of questions per day that you review for the first time."),
                (0, 1, 2, 3, 5, 8, 10, 15, 20, 30, 50, 100, 9999),
                typed=True,
                option="tutor review --new",
            ),
        ),
    ),
    (
        _("Sampler for new texts"),
        (
            Entry(
                "sampler.temperature",
                _("Temperature"),
                _(
                    "The initial temperature in the stepper. At 0, the sampler always takes the "
                    "most probable token. At 1, it uses the model's own distribution."
                ),
                (0.0, *(tenth / 10 for tenth in range(1, 21)), 3.0, 5.0, 10.0),
                typed=True,
            ),
            Entry(
                "sampler.top_k",
                _("Top-k"),
                _("Keep only the k most probable tokens. 0 switches this off."),
                (0, 1, 2, 3, 5, 10, 20, 40, 50, 100, 200, 500, 1000),
                typed=True,
            ),
            Entry(
                "sampler.top_p",
                _("Top-p"),
                _("Keep the fewest tokens whose probabilities add up to p. 1 switches this off."),
                (0.05, *(tenth / 10 for tenth in range(1, 10)), 0.95, 0.98, 0.99, 1.0),
                typed=True,
            ),
            Entry(
                "sampler.min_p",
                _("Min-p"),
                _(
                    "Drop tokens with less than this fraction of the top token's probability. 0 "
                    "switches this off."
                ),
                (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9),
                typed=True,
            ),
        ),
    ),
)
"""All settings except the keys, in groups, in the order of the settings screen."""

ENTRIES = {entry.name: entry for _, group in CATALOGUE for entry in group}


def value_of(settings: Settings, name: str) -> Any:
    """Return the value of a setting, given its full name."""
    value: Any = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


def with_value(settings: Settings, name: str, value: Value) -> Settings:
    """Return a copy of the settings with one value changed. Raises `msgspec.ValidationError`."""
    raw = msgspec.to_builtins(settings)
    *tables, last = name.split(".")
    inside = raw
    for table in tables:
        inside = inside[table]
    inside[last] = value
    return msgspec.convert(raw, Settings)


def invalid(name: str, value: Value) -> str:
    """Return a sentence that explains why the value is invalid, or "" if it is valid."""
    try:
        with_value(Settings(), name, value)
    except msgspec.ValidationError:
        return reason_in_words(name, value)
    return ""


def from_environment(entry: Entry) -> str:
    """Return the text of the environment variable for this setting, or "" if it is not set."""
    return os.environ.get(entry.variable, "").strip() if entry.variable else ""

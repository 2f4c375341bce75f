"""The sampler settings that the learner can change, and their possible values."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tutor.language import _
from tutor.lm.distribution import SamplerSettings


@dataclass(frozen=True)
class Dial:
    """A sampler setting: its field, the value that switches it off, and its effect in words.

    The arrow keys move through the values in `stops`, which are in ascending order.
    """

    field: str
    off: float
    stops: tuple[float, ...]
    does: str

    @property
    def name(self) -> str:
        return self.field.replace("_", "-")


_TENTHS = tuple(step / 10 for step in range(1, 21))
_TEMPERATURES = (0.0, *_TENTHS, 2.5, 3.0, 4.0, 5.0)
_TOP_KS = (0, 1, 2, 3, 4, 5, 8, 10, 20, 40, 50, 100, 200, 500, 1000)
_TOP_PS = (0.05, *_TENTHS[:9], 0.95, 0.98, 0.99, 1.0)
_MIN_PS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
DIALS = (
    Dial("temperature", 1.0, _TEMPERATURES, _("divides the logits: low sharpens, high flattens")),
    Dial("top_k", 0, _TOP_KS, _("keeps the k most probable tokens")),
    Dial("top_p", 1.0, _TOP_PS, _("keeps the fewest tokens that add up to p")),
    Dial("min_p", 0.0, _MIN_PS, _("drops tokens below p × the top probability")),
)


def turned(settings: SamplerSettings, dial: Dial, by: int) -> SamplerSettings:
    """Return a copy of the settings in which one setting is a step higher or lower.

    `by` is 1 for the next higher value in `stops`, and -1 for the next lower one.
    """
    value = getattr(settings, dial.field)
    if by > 0:
        stop = next((stop for stop in dial.stops if stop > value), dial.stops[-1])
    else:
        stop = next((stop for stop in reversed(dial.stops) if stop < value), dial.stops[0])
    return msgspec.structs.replace(settings, **{dial.field: stop})


def reading(settings: SamplerSettings, dial: Dial) -> str:
    """Format the value of a setting."""
    value = getattr(settings, dial.field)
    if dial.field == "temperature":
        return _("0 greedy") if value == 0 else f"{value:.2f}"
    return _("off") if value == dial.off else f"{value:g}"

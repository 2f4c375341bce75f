"""Numbers as people type them."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]{1,3})?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}([, '_][0-9]{3})+(\.[0-9]*)?")
_FRACTION = re.compile(r"([+-]?[0-9]{1,15})/([0-9]{1,15})")
_DASHES = str.maketrans({"−": "-", "–": "-", "\u00a0": " ", "\u202f": " ", "’": "'"})


def readings(text: str, unit: str = "") -> tuple[float, ...]:
    """The numbers that `text` may mean, most likely first; empty when it is not a number.

    Tolerated are a decimal comma, grouped thousands ("49,152" is read both as 49152 and, with a
    decimal comma, as 49.152), fractions, a percent sign ("50 %" is both 50 and 0.5) and the
    question's own `unit`.
    """
    text = " ".join(text.translate(_DASHES).split()).casefold()
    percent = text.endswith("%")
    for ending in (unit.casefold(), "%"):
        if ending:
            text = text.removesuffix(ending).rstrip()
    found = _numbers(text)
    if percent:
        found += [number / 100 for number in found]
    return tuple(dict.fromkeys(found))


def _numbers(text: str) -> list[float]:
    found: list[float] = []
    if _GROUPED.fullmatch(text):
        found.append(float(re.sub(r"[, '_]", "", text)))
    if _PLAIN.fullmatch(text):
        found.append(float(text))
    if "." not in text and _PLAIN.fullmatch(text.replace(",", ".", 1)):
        found.append(float(text.replace(",", ".", 1)))
    if (fraction := _FRACTION.fullmatch(text.replace(" ", ""))) and int(fraction[2]) != 0:
        found.append(int(fraction[1]) / int(fraction[2]))
    return found

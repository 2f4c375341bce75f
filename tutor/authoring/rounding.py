"""Decide whether a quoted number matches a computed number.

They match if the computed number rounds to the quoted number. After "about", the last digit of the
quoted number can differ by one, because the faster arithmetic in the app rounds differently.
"""

import re

_NUMBER = re.compile(r"[-−]?\d[\d,\u202f\u00a0]*(?:\.\d+)?")
_ABOUT = ("about ", "some ")
_SLACK = 1.0001
"""The factor by which the rounding interval is widened, so that a value on its edge matches."""


def numbers(said: str) -> list[str]:
    """Return the numbers in `said`, without their thousands separators.

    For example, "12,636 of 49,152" contains two numbers.
    """
    return [
        re.sub(r"[,\u202f\u00a0]", "", found).replace("−", "-")
        for found in (match.group().rstrip(",\u202f\u00a0") for match in _NUMBER.finditer(said))
    ]


def rounds_to(value: float, figure: str, *, about: bool = False) -> bool:
    """Return True if `value` rounds to `figure`, with as many decimals as `figure` has.

    With `about`, the next number above or below `figure` also matches.
    """
    decimals = len(figure.partition(".")[2])
    off = 1.5 if about else 0.5
    return abs(value - float(figure)) <= off * 10.0**-decimals * _SLACK


def quoted(said: str, value: float, *, share: bool) -> bool | None:
    """Return True if `said` quotes `value`, or None if `said` doesn't contain exactly one number.

    With `share`, a percent sign means that `value` is a fraction of 1.
    """
    figures = numbers(said)
    if len(figures) != 1:
        return None
    value = 100 * value if share and "%" in said else value
    return rounds_to(value, figures[0], about=said.startswith(_ABOUT))


def as_quoted(said: str, value: float, *, share: bool) -> str:
    """Return `value` with one more decimal than the number in `said`."""
    in_percent = share and "%" in said
    value = 100 * value if in_percent else value
    figures = numbers(said)
    decimals = len(figures[0].partition(".")[2]) if figures else 2
    return f"{value:,.{decimals + 1}f}{' %' if in_percent else ''}"

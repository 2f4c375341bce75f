"""Whether a number that a text quotes is the one that was computed: it is, where the computed one
rounds to what is quoted. What is said to be "about" so much may be off by one in its last place, as
what the screen shows may be, whose arithmetic is faster and rounds otherwise."""

import re

_NUMBER = re.compile(r"[-−]?\d[\d,\u202f\u00a0]*(?:\.\d+)?")
_ABOUT = ("about ", "some ")
_SLACK = 1.0001
"""A value that lies on the edge may be rounded either way."""


def numbers(said: str) -> list[str]:
    """The figures in `said`, without what separates thousands: "12,636 of 49,152" has two."""
    return [
        re.sub(r"[,\u202f\u00a0]", "", found).replace("−", "-")
        for found in (match.group().rstrip(",\u202f\u00a0") for match in _NUMBER.finditer(said))
    ]


def rounds_to(value: float, figure: str, *, about: bool = False) -> bool:
    """Whether `value`, rounded to as many decimals as `figure` has, is `figure`; with `about`,
    or the next one above or below."""
    decimals = len(figure.partition(".")[2])
    off = 1.5 if about else 0.5
    return abs(value - float(figure)) <= off * 10.0**-decimals * _SLACK


def quoted(said: str, value: float, *, share: bool) -> bool | None:
    """Whether `said` quotes `value`; with `share`, in per cent where there is a % sign. None where
    it has no figure, or several, so that nobody can say which one is meant."""
    figures = numbers(said)
    if len(figures) != 1:
        return None
    value = 100 * value if share and "%" in said else value
    return rounds_to(value, figures[0], about=said.startswith(_ABOUT))


def as_quoted(said: str, value: float, *, share: bool) -> str:
    """`value` with as many decimals as `said` has, and one more where that is not enough to see a
    difference."""
    in_percent = share and "%" in said
    value = 100 * value if in_percent else value
    figures = numbers(said)
    decimals = len(figures[0].partition(".")[2]) if figures else 2
    return f"{value:,.{decimals + 1}f}{' %' if in_percent else ''}"

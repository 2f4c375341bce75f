"""The files of the ghost text lab. Each file is short and has a line to complete."""

from __future__ import annotations

import msgspec

CURSOR = "▮"
"""The marker of the cursor's position in the files below."""


class File(msgspec.Struct, frozen=True):
    """A file with a line to complete.

    `right` contains correct versions of that line, which a person has checked. It is empty if no
    version is certain to be correct.
    """

    name: str
    text: str
    cursor: int
    right: tuple[str, ...] = ()


def _file(name: str, text: str, *right: str) -> File:
    before, _, after = text.strip("\n").partition(CURSOR)
    return File(name, before + after, len(before), right)


FILES: tuple[File, ...] = (
    _file(
        "temperature.py",
        """
def celsius_to_fahrenheit(c):
    return▮


def fahrenheit_to_celsius(f):
    return (f - 32) * 5 / 9
""",
        "return c * 9 / 5 + 32",
        "return c * 9.0 / 5.0 + 32",
        "return c * 9.0 / 5.0 + 32.0",
        "return c * 9.0 / 5 + 32",
        "return c * 1.8 + 32",
        "return 9 / 5 * c + 32",
        "return 1.8 * c + 32",
        "return 32 + c * 9 / 5",
    ),
    _file(
        "average.py",
        '''
def f(values):
    """Return the average of the values."""
    return▮
''',
        "return sum(values) / len(values)",
    ),
    _file(
        "words.py",
        """
def count_words(text):
    return▮
""",
        "return len(text.split())",
    ),
    _file(
        "shout.py",
        '''
import string


def shout(text):
    """Return the text in capitals."""
    return string.▮
''',
    ),
    _file(
        "february.py",
        '''
def days_in_february(year):
    """Return 29 in leap years, 28 otherwise."""
    return▮
''',
    ),
    _file(
        "label.py",
        '''
from money import to_cents


def label(euros):
    """Return the price in cents, as text."""
    return str(▮


def total(prices):
    return sum(prices)
''',
        "return str(to_cents(euros))",
    ),
)

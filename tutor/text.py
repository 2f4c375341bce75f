"""Text from models, servers and lesson files, made fit for a terminal.

A model can generate any byte, an escape sequence included. What it generates is shown, never
sent: every control, formatting, private-use or unassigned character is replaced by something
printable that names it.
"""

from __future__ import annotations

import locale
import unicodedata
from collections.abc import Callable

_NEWLINE = "⏎"
_SPACE = "␣"
_TAB = "⇥"
_KEPT_IN_WRITING = "\n\t\u200c\u200d"
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"  # fillers: neither space nor control, yet nothing is seen


def safe(text: str) -> str:
    """Running text for the screen: newlines stay, whatever could act on a terminal is shown
    instead of sent."""
    if text.isprintable():
        return text
    return "".join(char if char == "\n" else _printable(char) for char in text)


def one_line(text: str, longest: int = 200) -> str:
    """Text from a stranger as a part of a line: `safe`, and cut after `longest` characters."""
    shown = " ".join(safe(text[:longest]).split())
    return f"{shown}…" if len(text) > longest else shown


def writable(text: str) -> str:
    """Text on its way to a model through a field of the screen: like `safe`, but tabs stay, and so
    do the two joiners that emoji and several scripts are spelled with."""
    return "".join(char if char in _KEPT_IN_WRITING else _printable(char) for char in text)


def visible(data: bytes) -> str:
    """One token for the screen, on one line, with its white space made visible.

    Bytes that are not UTF-8 on their own (a piece of a longer character) appear as `\\xNN`. A
    leading combining mark gets a dotted circle to stand on. Never empty unless `data` is.
    """
    text = data.decode("utf-8", errors="backslashreplace")
    shown = "".join(_visible(char) for char in text)
    if shown and unicodedata.category(shown[0]).startswith("M"):
        return "◌" + shown
    return shown


def _visible(char: str) -> str:
    match char:
        case " ":
            return _SPACE
        case "\n":
            return _NEWLINE
        case "\t":
            return _TAB
    if unicodedata.category(char) == "Zs" or char in _BLANK:
        return _named(char)
    return _printable(char)


def _printable(char: str) -> str:
    if unicodedata.category(char) not in _UNPRINTABLE:
        return char
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return _named(char)


def _named(char: str) -> str:
    return f"‹U+{ord(char):04X}›"


def counted(number: int, noun: str) -> str:
    """ "1 token", "49,152 tokens": `noun` is one that takes an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


# --- terminals that show ASCII alone ----------------------------------------------------------

_TWINS = {
    "─━═╌┄╴╶–—−‐‑": "-", "│┃║▏▎▍┆╎": "|", "▌▋▊▉█▀": "#", "▓": "%", "▒▐": "=", "░": ":",
    "┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬╭╮╰╯┏┓┗┛┣┫┳┻╋": "+",
    "▁": "_", "▂": ".", "▃": ":", "▄": "-", "▅": "=", "▆": "+", "▇": "*",
    "►▶→⟶⇥›»⇒↦": ">", "◄◀←⟵‹«⇐": "<", "▲△↑⌃": "^", "▼▽↓": "v", "↕": "|", "↔": "-",
    "●•◆■▪": "*", "○◦◌□◇": "o", "✓": "+", "×": "x", "·∙⋅": ".", "…≈∼": "~", "␣": "_",
    "⏎↵": "/", "“”„": '"', "‘’‚": "'", "′": "'", "″": '"', "≤": "<", "≥": ">", "≠": "!",
    "÷": "/", "√": "/", "∅": "0", "°": "o", "±": "+", "Σ∑": "S", "σ": "s", "π": "p", "μµ": "u",
    "α": "a", "β": "b", "θ": "t", "λ": "l", "Δ∆": "D", "ε∈": "e",
}  # fmt: skip
_ASCII = {char: twin for chars, twin in _TWINS.items() for char in chars}
"""The ASCII character that stands for one of ours where a terminal has no other."""


def writes_utf8() -> bool:
    """Whether the locale says that the terminal takes UTF-8. (Where no locale is set, Python
    takes that for granted, and so do we.)"""
    return locale.getencoding().lower().replace("-", "") == "utf8"


def in_ascii(text: str, width: Callable[[str], int] = len) -> str:
    """`text` in ASCII, in as many columns: `width` tells how many a character has. Letters lose
    their accents, box drawing and blocks become `+`, `-`, `|` and `#`, and what has no twin at all
    becomes `?`."""
    return "".join(char if char.isascii() else _twin(char, width(char)) for char in text)


def _twin(char: str, width: int) -> str:
    if width == 0:
        return ""
    twin = _ASCII.get(char)
    if twin is None:
        plain = unicodedata.normalize("NFKD", char)
        twin = plain[0] if plain[0].isascii() and plain[0].isprintable() else "?"
    return twin * width

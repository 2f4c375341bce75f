"""Make text from models, servers and lesson files safe to show on a terminal.

A model can generate any bytes, even escape sequences, so the terminal never receives such text
unchanged. Every control, formatting, private-use or unassigned character is replaced with a
printable name.
"""

import codecs
import locale
import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

from tutor.language import ngettext

_NEWLINE = "⏎"
_SPACE = "␣"
_TAB = "⇥"
_KEPT_IN_WRITING = "\n\t\u200c\u200d"
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_MOST_MARKS = 30  # This is the limit of Unicode's Stream-Safe Text Format (UAX #15).
_MANY_BEYOND_ASCII = re.compile(rf"[^\x00-\x7f]{{{_MOST_MARKS + 1},}}")
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:%|‰|bits?|nats?|bytes?|[kMGT]B|ms|s|min|h)(?!\w))")
# These characters are invisible fillers, but they don't count as spaces.
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"


def safe(text: str) -> str:
    """Return `text` with control characters made visible. Line breaks stay."""
    text = _with_few_marks(text)
    if text.isprintable():
        return text
    return "".join(char if char == "\n" else _printable(char) for char in text)


def one_line(text: str, longest: int = 200) -> str:
    """Return `text` made safe, on one line, and cut off after `longest` characters."""
    shown = " ".join(safe(text[:longest]).split())
    return f"{shown}…" if len(text) > longest else shown


def writable(text: str) -> str:
    """Make text from an input field safe, but keep line breaks, tabs and two invisible characters.

    The zero-width joiner and non-joiner are needed to write emoji and several scripts.
    """
    return "".join(char if char in _KEPT_IN_WRITING else _printable(char) for char in text)


@lru_cache(maxsize=4096)  # a screen shows the same tokens again in each frame
def visible(data: bytes) -> str:
    r"""Return a token's text on one line, with visible whitespace.

    Bytes that are not valid UTF-8 on their own, such as part of a character, appear as `\xNN`. If
    the token begins with a combining mark, a dotted circle precedes the mark. The result is empty
    only if `data` is empty.
    """
    text = _with_few_marks(data.decode("utf-8", errors="backslashreplace"))
    shown = "".join(_visible(char) for char in text)
    if shown and unicodedata.category(shown[0]).startswith("M"):
        return "◌" + shown
    return shown


def decoded(parts: Iterable[bytes]) -> list[str]:
    """Decode each part of a text, and make it safe.

    If several parts form one character, the character is in the text of the last of them.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    texts = [safe(decoder.decode(part)) for part in parts]
    rest = decoder.decode(b"", final=True)
    if rest:
        texts[-1] += rest
    return texts


def printable_json(data: bytes) -> bytes:
    """Return JSON in which all characters that could control a terminal are escaped.

    The result decodes to the same value as `data`.
    """
    text = data.decode("utf-8")
    if text.isprintable():
        return data
    return "".join(char if char == "\n" else _escaped(char) for char in text).encode()


def _escaped(char: str) -> str:
    if unicodedata.category(char) not in _UNPRINTABLE:
        return char
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _with_few_marks(text: str) -> str:
    """Return `text` with at most `_MOST_MARKS` combining marks in a row.

    The other marks are replaced with a note that says how many there were.
    """
    if not _MANY_BEYOND_ASCII.search(text):
        return text
    parts: list[str] = []
    marks = 0
    for char in (*text, ""):
        if char and unicodedata.category(char).startswith("M"):
            marks += 1
            if marks > _MOST_MARKS:
                continue
        elif marks:
            if marks > _MOST_MARKS:
                parts.append(f"‹{marks - _MOST_MARKS}×mark›")
            marks = 0
        parts.append(char)
    return "".join(parts)


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
    """Return a number with its noun, such as "1 token" or "49,152 tokens"."""
    said = ngettext(f"{{count}} {noun}", f"{{count}} {noun}s", number)
    return said.format(count=f"{number:,}")


# --- terminals that only show ASCII ----------------------------------------------------------

_TWINS = {
    "━═": "=", "─╌┄╴╶–—−‐‑": "-", "│┃║▏▎▍┆╎": "|", "▌▋▊▉█▀": "#", "▓": "%", "▒▐": "=", "░": ":",
    "┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬╭╮╰╯┏┓┗┛┣┫┳┻╋": "+",
    "▁": "_", "▂": ".", "▃": ":", "▄": "-", "▅": "=", "▆": "+", "▇": "*",
    "►▶→⟶⇥›»⇒↦": ">", "◄◀←⟵‹«⇐": "<", "▲△↑⌃": "^", "▼▽↓": "v", "↕": "|", "↔": "-",
    "●•◆■▪": "*", "○◦◌□◇": "o", "✓": "+", "×": "x", "·∙⋅": ".", "…≈∼": "~", "␣": "_",
    "⏎↵": "/", "“”„": '"', "‘’‚": "'", "′": "'", "″": '"', "≤": "<", "≥": ">", "≠": "!",
    "÷": "/", "√": "/", "∅": "0", "°": "o", "±": "+", "Σ∑": "S", "σ": "s", "π": "p", "μµ": "u",
    "α": "a", "β": "b", "θ": "t", "λ": "l", "Δ∆": "D", "ε∈": "e",
}  # fmt: skip
_ASCII = {char: twin for chars, twin in _TWINS.items() for char in chars}
"""A map from the non-ASCII characters of the interface to ASCII characters."""


def cells(text: str) -> int:
    """Return the width of `text` in columns.

    Wide East Asian characters take two columns, and combining marks take none.
    """
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def with_joined_units(text: str) -> str:
    """Return `text` with another character in place of each space between a number and its unit.

    The result has the same length and width. Use it to find line breaks, and not to show it:
    “50 %” or “2.1 bits” then counts as one word.
    """
    return _BEFORE_UNIT.sub("_", text) if " " in text else text


def wrapped(text: str, width: int) -> int:
    """Return the number of lines of `text` when it is wrapped at `width` columns.

    A word that is longer than a line is broken. A number and its unit stay on one line.
    """
    lines = 0
    for paragraph in text.split("\n"):
        used = 0
        lines += 1
        for word in with_joined_units(paragraph).split():
            size = cells(word)
            if used and used + 1 + size <= width:
                used += 1 + size
                continue
            lines += used > 0
            lines += (size - 1) // width
            used = (size - 1) % width + 1
    return lines


def writes_utf8() -> bool:
    """Return True if the locale's encoding is UTF-8. Without a locale, UTF-8 is assumed."""
    return locale.getencoding().lower().replace("-", "") == "utf8"


def in_ascii(text: str, width: Callable[[str], int] = len) -> str:
    """Return `text` in ASCII, with the same width in columns.

    `width` returns the width of a character. Letters lose their accents. Box-drawing and block
    characters become characters such as `+`, `-`, `|` and `#`, and characters without a replacement
    become `?`.
    """
    return "".join(char if char.isascii() else _twin(char, width(char)) for char in text)


def _twin(char: str, width: int) -> str:
    if width == 0:
        return ""
    twin = _ASCII.get(char)
    if "\u2800" <= char <= "\u28ff":
        twin = _braille_twin(ord(char) - 0x2800)
    if twin is None:
        plain = unicodedata.normalize("NFKD", char)
        twin = plain[0] if plain[0].isascii() and plain[0].isprintable() else "?"
    return twin * width


_BRAILLE = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bits of the dots of a braille character: left and right column, each from top to bottom."""


def _braille_twin(dots: int) -> str:
    """Return an ASCII character whose shape resembles these dots, which are a part of a curve."""
    left, right = ([row for row, bit in enumerate(column) if dots & bit] for column in _BRAILLE)
    rows = left + right
    if not rows:
        return " "
    slope = sum(left) / len(left) - sum(right) / len(right) if left and right else 0.0
    if abs(slope) >= 1:
        return "/" if slope > 0 else "\\"
    if max(rows) - min(rows) > 1:
        return "|"
    return "'-._"[round(sum(rows) / len(rows))]

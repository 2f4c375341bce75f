"""Write numbers, tokens and errors so that they make sense when read aloud."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from tutor.app.spoken import number, percent, quoted, rank, spoken, token
from tutor.language import _
from tutor.text import one_line

if TYPE_CHECKING:
    from tutor.errors import TutorError
    from tutor.lm.distribution import Distribution, Token

__all__ = [
    "change",
    "ended",
    "entropy",
    "error",
    "goal",
    "listed",
    "number",
    "percent",
    "quoted",
    "quoted_text",
    "rank",
    "several",
    "spoken",
    "token",
    "with_commands",
    "without_keys",
]

_LONGEST = 400
"""The maximum length of a quoted text, in characters."""

LETTERS = "abcdefghijklmnopqrstuvwxyz"

_SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z“])")
_PRESS = re.compile(
    r"\b([Pp])ress `?([\w/])`?(?![\w+])(?:, then `?n`?(?!\w))?|\b([Uu])ndo with `?(u)`?"
)
_KEY = re.compile(r"\b([Pp]ress|[Uu]ndo with) [\w`/]|[←→↑↓]|\b(Shift\+)?Tab\b|\bEsc\b")
_NAMED_KEY = re.compile(
    r" \(`?[b-z0-9/]`?(,? [^()]{1,24})?\)| \((?:a|Enter)\)|; `?\w`? (?=[a-z])[^.;]*"
)
_KEY_IN_GOAL = re.compile(
    r" \((try )?([a-z]|[a-z]/[a-z]|\d, \d|ctrl\+[a-z]|Enter|Tab, then [a-z])\)"
)


def entropy(distribution: Distribution) -> str:
    least = _("at least ") if distribution.partial else ""
    return _("Entropy: {least}{entropy_bits:.2f} bits.").format(
        least=least, entropy_bits=distribution.entropy_bits
    )


def change(said: Token, before: float, after: float) -> str:
    """Return a sentence about a token's probability before and after a change."""
    return _("{token}: {before} before, {after} after.").format(
        token=token(said), before=percent(before), after=percent(after)
    )


def listed(words: Sequence[str], last: str = _("or")) -> str:
    """Join words into a list, such as "a, b or c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def ended(text: str) -> str:
    """Add a period to the text, unless it already ends with punctuation."""
    return text if text.endswith((".", "?", "!", ":", "…", "”", '"')) else f"{text}."


def quoted_text(text: str) -> str:
    """Return the text on one line, in quotation marks. Long text is cut off."""
    return quoted(one_line(text, _LONGEST).encode())


def without_keys(text: str) -> str:
    """Remove the sentences that mention a key, because plain mode has no keys."""
    kept = (each for each in _SENTENCE.split(text) if not _KEY.search(each))
    return _NAMED_KEY.sub("", " ".join(kept))


def goal(says: str) -> str:
    """Return a goal as a sentence, without the names of keys that exist only in the app."""
    return ended(spoken(_KEY_IN_GOAL.sub("", says)))


def with_commands(text: str, commands: Mapping[str, str]) -> str:
    """Return a text in which instructions to press keys are replaced with commands to type."""

    def typed(found: re.Match[str]) -> str:
        start, key = found[1] or found[3], found[2] or found[4]
        verb = "Type" if start.isupper() else "type"
        return f"{verb} {commands[key]}" if key in commands else found[0]

    return _PRESS.sub(typed, text)


def error(raised: TutorError) -> str:
    """Return an error on one line: what happened and what to do. Advice about keys is left out."""
    parts = (raised.happened, without_keys(raised.next_step))
    return one_line(" ".join(filter(None, parts)), 600)


def several(lines: Iterable[str]) -> list[str]:
    """Return the lines that are not blank."""
    return [line for line in lines if line.strip()]

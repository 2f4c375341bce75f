"""Mark key names in Markdown, so that they are drawn in the style of keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markdown_it.token import Token

from tutor.app.widgets.key_names import ARROWS, NAMED, key_spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.rules_core import StateCore

_AS_CODE = re.compile(rf"{NAMED}|Space|{ARROWS}|[a-z]|[/?\\]|\d")
_QUOTED = re.compile(r" (?:is\b|\d)")
"""A pattern for the words after a letter that is mentioned as text: “`a` is one byte”."""
_HIDDEN = "\ufffc"
_DIGIT = "\ufff9"
"""Placeholders for inline code in the text that is searched for key names.

Each digit becomes `_DIGIT`, and each other character becomes `_HIDDEN`.
"""


def mark_keys(state: StateCore) -> None:
    """Mark key names in parsed Markdown as `s` elements, which lessons do not use.

    Inline code is a key name if it is a lowercase letter, an arrow or another key. A letter that is
    mentioned as text, as in `t`+`h` and “`a` is one byte”, is not a key name. A digit is a key name
    only in a range, as in “`1` to `9`”.
    """
    for token in state.tokens:
        if token.type == "inline" and token.children:
            token.children = list(_marked(token.children))


def _marked(children: Sequence[Token]) -> Iterator[Token]:
    texts = [_text(child) for child in children]
    whole = "".join(texts)
    spans = key_spans(whole)
    at = 0
    for child, text in zip(children, texts, strict=True):
        end = at + len(text)
        if child.type == "text":
            yield from _split(child, [(a - at, b - at) for a, b in spans if at <= a and b <= end])
        elif child.type == "code_inline" and _AS_CODE.fullmatch(child.content):
            yield from [child] if _is_quoted(whole, at, end) else _key(child.content)
        else:
            yield child
        at = end


def _is_quoted(whole: str, begin: int, end: int) -> bool:
    """Return True if the code from `begin` to `end` is mentioned as text, and is not a key."""
    if "+" in whole[max(0, begin - 1) : end + 1] or _QUOTED.match(whole, end):
        return True
    in_range = whole.endswith(" to ", 0, begin) or whole.startswith(" to ", end)
    return whole[begin] == _DIGIT and not in_range


def _text(token: Token) -> str:
    match token.type:
        case "text":
            return token.content
        case "code_inline":
            return (_DIGIT if token.content.isdigit() else _HIDDEN) * len(token.content)
        case "softbreak" | "hardbreak":
            return " "
    return ""


def _split(token: Token, spans: Sequence[tuple[int, int]]) -> Iterator[Token]:
    at = 0
    for begin, end in spans:
        yield token.copy(content=token.content[at:begin])
        yield from _key(token.content[begin:end])
        at = end
    yield token.copy(content=token.content[at:])


def _key(name: str) -> Iterator[Token]:
    yield Token("s_open", "s", 1)
    yield Token("text", "", 0, content=name)
    yield Token("s_close", "s", -1)

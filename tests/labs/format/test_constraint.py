"""Test which texts formats allow, against brute force, and what is generated under them."""

from __future__ import annotations

import random
import re
from contextlib import suppress
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.labs.lab_backend import small_model
from tutor.errors import LabError
from tutor.labs.format.constraint import PATIENCE, Choices, Format, Pattern, Vocabulary

# --- an independent oracle: derivatives (Brzozowski 1964) -----------------------------------------
#
# A node is ("none",), ("empty",), ("set", characters), ("then", a, b), ("or", a, b) or ("star", a).
# Its derivative, the rest to match after one character, is a node again.

Node = tuple[Any, ...]
LETTERS = "abé€"
NONE: Node = ("none",)
EMPTY: Node = ("empty",)


def then(a: Node, b: Node) -> Node:
    if NONE in (a, b):
        return NONE
    return b if a == EMPTY else a if b == EMPTY else ("then", a, b)


def either(a: Node, b: Node) -> Node:
    return b if a in (NONE, b) else a if b == NONE else ("or", a, b)


def may_be_empty(node: Node) -> bool:
    match node:
        case ("empty",) | ("star", _):
            return True
        case ("then", a, b):
            return may_be_empty(a) and may_be_empty(b)
        case ("or", a, b):
            return may_be_empty(a) or may_be_empty(b)
    return False


def after(node: Node, char: str) -> Node:
    match node:
        case ("set", chars):
            return EMPTY if char in chars else NONE
        case ("then", a, b):
            rest = then(after(a, char), b)
            return either(rest, after(b, char)) if may_be_empty(a) else rest
        case ("or", a, b):
            return either(after(a, char), after(b, char))
        case ("star", a):
            return then(after(a, char), node)
    return NONE


def written(node: Node) -> str:
    """Return the node as a pattern."""
    match node:
        case ("set", chars):
            return chars if len(chars) == 1 else f"[{chars}]"
        case ("then", a, b):
            return f"(?:{written(a)})(?:{written(b)})"
        case ("or", a, b):
            return f"(?:{written(a)}|{written(b)})"
        case ("star", a):
            return f"(?:{written(a)})*"
    raise AssertionError(node)


NODES = st.recursive(
    st.sets(st.sampled_from(LETTERS), min_size=1).map(lambda some: ("set", "".join(sorted(some)))),
    lambda inner: st.one_of(
        st.tuples(st.just("then"), inner, inner),
        st.tuples(st.just("or"), inner, inner),
        st.tuples(st.just("star"), inner),
    ),
    max_leaves=6,
)


def begins(node: Node, text: str) -> bool:
    """Return whether the rest can be matched: any node but `NONE` can be, to its end."""
    for char in text:
        node = after(node, char)
    return node != NONE


@settings(max_examples=200)
@given(NODES, st.text(LETTERS + "x", max_size=6))
def test_a_pattern_agrees_with_its_derivatives(node: Node, text: str) -> None:
    pattern = Pattern(written(node))
    assert pattern.begins(text.encode()) == begins(node, text)
    left = node
    for char in text:
        left = after(left, char)
    assert pattern.whole(text.encode()) == may_be_empty(left)


@settings(max_examples=100)
@given(NODES, st.text(LETTERS, max_size=3), st.sampled_from("é€ü🙂"), st.integers(1, 3))
def test_a_part_of_a_character_is_allowed_if_a_whole_one_can_follow(
    node: Node, text: str, char: str, kept: int
) -> None:
    """Compare with every character of the alphabet that begins with these bytes."""
    part = char.encode()[:kept]
    if len(part) == len(char.encode()):
        return
    possible = any(begins(node, text + each) for each in LETTERS if each.encode().startswith(part))
    pattern = Pattern(written(node))
    assert pattern.begins(text.encode() + part) == possible
    assert not pattern.whole(text.encode() + part)


@pytest.mark.parametrize(
    ("pattern", "data", "taken"),
    [
        (".", b"\xf0", True),
        (".", b"\xf0\x9f\x99", True),
        (".", b"\xff", False),
        (".", b"\xed\xa0", False),  # This would be half of a surrogate pair.
        (".", b"\xf4\x90", False),  # This is beyond the last character.
        (".", b"\x80", False),
        ("[^é]", b"\xc3", True),
        ("é", b"\xc3", True),
        ("é", b"\xc2", False),
        ("[à-ü]", b"\xc3", True),
        ("[à-ü]", b"\xc2", False),
        ("[À-ÿ]", b"\xc3\xa9", True),
        (r"\d", "٣".encode(), False),  # This digit is not ASCII.
        (r"\w", b"\xc3", False),
        (r"\W", b"\xc3", True),
        ("[^a-z]", b"\xe2\x82", True),
        ("a.c", b"a\n", False),
    ],
)
def test_incomplete_and_invalid_bytes(pattern: str, data: bytes, taken: bool) -> None:
    assert Pattern(pattern).begins(data) == taken


# --- the mask, compared with brute force ----------------------------------------------------------


@cache
def tokens() -> dict[int, bytes]:
    """Return all 4,096 tokens of the small model except the special ones."""
    tokenizer = small_model().tokenizer
    found = tokenizer.tokens(range(tokenizer.vocabulary_size))
    return {token.id: token.data for token in found if not token.special}


@cache
def vocabulary() -> Vocabulary:
    return Vocabulary(tokens())


FORMATS: list[Format] = [
    Pattern(r"\d{4}"),
    Pattern(r"(the|a) (king|queen) of [A-Z][a-z]+\."),
    Pattern("[aé€]{2,4}"),
    Pattern(r".{3,12}"),
    Pattern(r"(ab|cd)*e?"),
    Pattern(r"\s?[à-ÿ]{1,3}|x"),
    Choices(["yes", "no", "I do not know", "naïve café", "東京"]),
]


def by_brute_force(format_: Format, before: bytes) -> list[int]:
    return [id_ for id_, data in tokens().items() if data and format_.begins(before + data)]


@pytest.mark.parametrize("format_", FORMATS, ids=lambda each: getattr(each, "pattern", "choices"))
def test_the_mask_allows_exactly_the_tokens_that_fit(format_: Format) -> None:
    """Take random walks, and at each position compare the mask with a test of every token."""
    luck = random.Random(7)
    ended = 0
    for _ in range(8):
        text = b""
        for _ in range(30):
            allowed = vocabulary().allowed(format_, text)
            if luck.random() < 0.2:
                assert allowed == by_brute_force(format_, text)
            if not allowed or (format_.whole(text) and luck.random() < 0.5):
                assert format_.whole(text), text
                ended += 1
                break
            last = [id_ for id_ in allowed if format_.whole(text + tokens()[id_])]
            text += tokens()[luck.choice(last if last and luck.random() < 0.5 else allowed)]
            assert format_.begins(text)
        if format_.whole(text) and isinstance(format_, Pattern):
            assert re.fullmatch(format_.pattern, text.decode(), re.ASCII)
        if format_.whole(text) and isinstance(format_, Choices):
            assert text.decode() in format_.texts
    assert ended


def test_every_choice_can_be_generated_token_by_token() -> None:
    choices = Choices(["yes", "no", "I do not know", "naïve café", "東京"])
    for text in choices.texts:
        data = b""
        for id_ in small_model().tokenizer.encode(text):
            assert id_ in vocabulary().allowed(choices, data)
            data += tokens()[id_]
        assert choices.whole(data)
        assert vocabulary().allowed(choices, data) == []


@settings(max_examples=10)
@given(NODES, st.text(LETTERS, max_size=3))
def test_the_mask_agrees_with_brute_force(node: Node, text: str) -> None:
    pattern = Pattern(written(node))
    assert vocabulary().allowed(pattern, text.encode()) == by_brute_force(pattern, text.encode())


def test_tokens_with_equal_bytes_are_all_allowed_and_empty_ones_never() -> None:
    twins = Vocabulary({3: b"a", 1: b"a", 2: b"", 7: b"b"})
    assert twins.allowed(Pattern("a*"), b"") == [1, 3]


# --- invalid formats ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern",
    [
        "", "(", "a)", "[a", "[]", "a**", "*a", "a{2,1}", "a{999}", r"\1", r"(a)\1", "(?=a)a",
        "(?i)a", r"\p{L}", r"\x41", r"\u00e9", "[[:alpha:]]", "(?:a){e<=1}", "^a", "a$", r"\bword",
        "a++", "a{,2}", "a" * 201, "(?P<n>a)", r"\N{BULLET}", "(?R)", "{", "a|*", "\\",
    ],
)  # fmt: skip
def test_invalid_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(LabError):
        Pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\{\"a\": \d\}", '{"a": 1}'),
        (r"[\]\[\\-]+", r"[]\-"),
        (r"[^\d ]+", "ab"),
        ("(a|b|)c", "c"),
        (r"a{0,2}b{2}", "bb"),
        (r"\$\.\^", "$.^"),
        ("東.", "東京"),
    ],
)
def test_valid_patterns_match(pattern: str, text: str) -> None:
    assert Pattern(pattern).whole(text.encode())


@given(st.text(max_size=12))
def test_any_text_is_a_valid_pattern_or_is_refused(text: str) -> None:
    with suppress(LabError):
        Pattern(text).begins(b"a")


def test_a_pattern_that_takes_too_long_is_stopped() -> None:
    short = PATIENCE / 20
    with pytest.raises(LabError, match="too long"):
        vocabulary().allowed(Pattern("(a|aa)+b", short), b"a" * 60, short)


def test_empty_choices_are_refused() -> None:
    with pytest.raises(LabError):
        Choices(["", ""])

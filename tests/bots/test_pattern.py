"""Test the patterns of rules: what they match and capture, and that matching is fast."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.bots import pattern
from tutor.bots.errors import BotError
from tutor.bots.pattern import Span, folded, match, parse, words_of


def fits(text: str, message: str) -> list[str] | None:
    """Return what a pattern captures from a message."""
    words = words_of(message)
    found = match(text, [folded(word) for word in words])
    if found is None:
        return None
    return [" ".join(words[span.start : span.end]) for span in found.captures]


@pytest.mark.parametrize(
    ("text", "message", "captured"),
    [
        ("i feel *", "I feel very well, thanks!", ["very well thanks"]),
        ("i feel *", "I feel", [""]),
        ("i feel *", "how I feel", None),
        ("* open * on *day *", "When do you open on Friday?", ["When do you", "", "Friday", ""]),
        (
            "* open * on *day *",
            "Are you open this week, on Monday?",
            ["Are you", "this week", "Monday", ""],
        ),
        (
            "* open * on *day *",
            "Open on day two",
            None,
        ),  # the star in *day needs at least one letter
        ("card", "Card.", []),
        ("card", "my card", None),
        ("* my name is _ *", "Hello, my name is Ada Byron", ["Hello", "Ada", "Byron"]),
        ("can/may i eat *", "May I eat here?", ["here"]),
        ("can/may i eat *", "must I eat here?", None),
        ("* don't *", "I don’t know", ["I", "know"]),
        ("* a * a *", "a b a c a", ["", "b", "c a"]),
        ("* a b", "a b a b", ["a b"]),
        ("un*able to", "unbelievable TO", ["unbelievable"]),
    ],
)
def test_patterns_that_match(text: str, message: str, captured: list[str] | None) -> None:
    assert fits(text, message) == captured


@pytest.mark.parametrize(
    "text", ["", "*", "* *", "* * a", "a+b", "(a", "a*b*c", "a/", "a/*", "$x", "a" * 201]
)
def test_invalid_patterns(text: str) -> None:
    with pytest.raises(BotError):
        parse(text)


LETTERS = st.sampled_from(["a", "b", "ab", "ba"])
PATTERNS = st.lists(
    st.sampled_from(["*", "_", "a", "b", "ab", "a/b", "a*", "*b"]), min_size=1, max_size=7
)


@given(elements=PATTERNS, words=st.lists(LETTERS, max_size=9))
def test_it_matches_when_a_regular_expression_does(elements: list[str], words: list[str]) -> None:
    """The same pattern, written as a regular expression."""
    try:
        parse(" ".join(elements))
    except BotError:
        return
    meaning = {
        "*": "(?:[ab]+ )*",
        "_": "[ab]+ ",
        "a*": "a[ab]+ ",
        "*b": "[ab]+b ",
        "a/b": "(?:a|b) ",
    }
    expression = "".join(meaning.get(each, each + " ") for each in elements)
    expected = re.fullmatch(expression, "".join(word + " " for word in words)) is not None
    assert (match(" ".join(elements), words) is not None) == expected


@given(elements=PATTERNS, words=st.lists(LETTERS, max_size=9))
def test_captures_and_literal_words_are_the_whole_message(
    elements: list[str], words: list[str]
) -> None:
    try:
        parse(" ".join(elements))
    except BotError:
        return
    found = match(" ".join(elements), words)
    if found is None:
        return
    spans = [*found.captures, *(Span(at, at + 1) for at in found.literal)]
    assert sorted(at for span in spans for at in range(*span)) == list(range(len(words)))
    assert len(found.captures) == pattern.captures_of(" ".join(elements))


def test_a_hostile_pattern_is_not_slow() -> None:
    """As a regular expression, `(a.*){40}b` would practically never finish on this message."""
    hostile = "* " + "a * " * 40 + "b"
    begun = time.process_time()
    assert match(hostile, ["a"] * 5000) is None
    assert match(hostile, ["a"] * 5000 + ["b"]) is not None
    assert time.process_time() - begun < 30  # seconds; the other way takes ages

"""The first generation: rules that are tried on a message, each with answers that stand ready.

Of the rules that fit, the one of the highest priority speaks, and of several with the same the one
that stands above. Its answers take turns: how often a rule has spoken in this conversation is all
that this bot remembers.

After ELIZA (Weizenbaum 1966, "ELIZA: a computer program for the study of natural language
communication between man and machine"): patterns with captures, ranks, pronouns turned around.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from tutor.bots import pattern as patterns
from tutor.bots.errors import BotError

MOST_RULES = 200
HIGHEST = 100
"""Highest priority."""
LONGEST_ANSWER = 300

_PLACE = re.compile(r"\{(\d+)\}")

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_ANSWER)]
Pattern = Annotated[str, msgspec.Meta(min_length=1, max_length=patterns.LONGEST)]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Any of the `patterns` makes the rule fit. `{1}` in an answer is the first capture. `own`
    rules were written by the learner."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    priority: Annotated[int, msgspec.Meta(ge=0, le=HIGHEST)]
    patterns: Annotated[tuple[Pattern, ...], msgspec.Meta(min_length=1, max_length=20)]
    answers: Annotated[tuple[Words, ...], msgspec.Meta(min_length=1, max_length=20)]
    own: bool = False


class RuleBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that the bot knows: `fallback` is what it says when no rule fits, `reflections` turn
    captured words around (my: your)."""

    fallback: Annotated[tuple[Words, ...], msgspec.Meta(min_length=1)]
    reflections: Mapping[str, str]
    rules: Annotated[tuple[Rule, ...], msgspec.Meta(max_length=MOST_RULES)]


class Fit(msgspec.Struct, frozen=True):
    """A rule that fits a message, and how: the pattern, what it captured (turned around), and the
    places of the words that it names."""

    rule: str
    priority: int
    pattern: str
    captures: tuple[str, ...]
    literal: tuple[int, ...]


class RuleReply(msgspec.Struct, frozen=True):
    """What the bot says, and all rules that fit, the one that speaks first. `turn` counts how often
    that one has spoken in this conversation, this time included."""

    text: str
    fits: tuple[Fit, ...]
    turn: int = 1

    @property
    def declined(self) -> bool:
        return not self.fits


def check(rule: Rule) -> None:
    """Raises `BotError` where a pattern cannot be read, or an answer wants a capture that a pattern
    does not have."""
    for pattern in rule.patterns:
        found = patterns.captures_of(pattern)
        for number in map(int, _PLACE.findall(" ".join(rule.answers))):
            if not 1 <= number <= found:
                raise BotError(
                    f"The answer has {{{number}}}, and “{pattern}” captures {found or 'nothing'}.",
                    "Captures are counted from 1: each *, each _, and each word with a * in it.",
                )


def fits(book: RuleBook, message: str) -> tuple[Fit, ...]:
    """Every rule that fits, the one that speaks first."""
    words = patterns.words_of(message)
    folded = [patterns.folded(word) for word in words]
    found = [fit for rule in book.rules if (fit := _fit(rule, words, folded, book)) is not None]
    return tuple(sorted(found, key=lambda fit: -fit.priority))


def reply(book: RuleBook, messages: Sequence[str]) -> RuleReply:
    """The answer to the last of the visitor's messages in a conversation."""
    fitting = fits(book, messages[-1])
    if not fitting:
        misses = sum(not fits(book, message) for message in messages)
        return RuleReply(book.fallback[(misses - 1) % len(book.fallback)], (), misses)
    first = fitting[0]
    speaking = [fit.rule for message in messages for fit in fits(book, message)[:1]]
    turn = speaking.count(first.rule)
    rule = next(rule for rule in book.rules if rule.name == first.rule)
    answer = rule.answers[(turn - 1) % len(rule.answers)]
    text = _PLACE.sub(lambda place: first.captures[int(place[1]) - 1], answer)
    return RuleReply(text, fitting, turn)


def _fit(rule: Rule, words: Sequence[str], folded: Sequence[str], book: RuleBook) -> Fit | None:
    """By the first of its patterns that fits, with nothing missing that an answer needs."""
    for pattern in rule.patterns:
        found = patterns.match(pattern, folded)
        if found is None:
            continue
        captures = tuple(
            reflected(words[span.start : span.end], book.reflections) for span in found.captures
        )
        needed = {int(number) for number in _PLACE.findall(" ".join(rule.answers))}
        if all(captures[number - 1] for number in needed):
            return Fit(rule.name, rule.priority, pattern, captures, found.literal)
    return None


def reflected(words: Sequence[str], reflections: Mapping[str, str]) -> str:
    """Words as they sound from the other side: "my dog" becomes "your dog"."""
    return " ".join(reflections.get(patterns.folded(word), word) for word in words)


# --- rules that the learner writes ----------------------------------------------------------------

HOW = "Write a pattern, an equals sign and an answer, for example: * parrot * = Poor parrot!"


def written(text: str, name: str) -> Rule:
    """A rule from one line, `PRIORITY: PATTERN = ANSWER | ANSWER`; without a priority it has 50.
    Raises `BotError`."""
    head, equals, tail = text.partition("=")
    answers = tuple(answer.strip() for answer in tail.split("|") if answer.strip())
    if not equals or not answers:
        raise BotError("This is no rule yet.", HOW)
    number, colon, pattern = head.rpartition(":")
    priority = number.strip() if colon else "50"
    if not priority.isascii() or not priority.isdigit() or int(priority[:4]) > HIGHEST:
        raise BotError(
            f"{priority[:20]!r} is no priority.", f"Use a number from 0 to {HIGHEST}, or none."
        )
    if any(len(answer) > LONGEST_ANSWER for answer in answers) or len(answers) > 20:
        raise BotError(f"An answer has {LONGEST_ANSWER} characters at most.", "Make it shorter.")
    rule = Rule(name, int(priority), (" ".join(pattern.split()),), answers, own=True)
    check(rule)
    return rule


def as_written(rule: Rule) -> str:
    """The line for a rule, of which only the first pattern can be changed."""
    return f"{rule.priority}: {rule.patterns[0]} = {' | '.join(rule.answers)}"

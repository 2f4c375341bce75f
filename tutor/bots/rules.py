"""The first generation of chatbots: rules with patterns and prepared answers.

If several rules match a message, the rule with the highest priority answers. If several of them
have this priority, the first one answers. A rule with several answers uses them in turn. All that
the bot remembers is the number of times each rule has answered in this conversation.

The patterns with captures, the priorities and the swapped pronouns are from ELIZA (Weizenbaum 1966,
"ELIZA: a computer program for the study of natural language communication between man and
machine").
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from tutor.bots import pattern as patterns
from tutor.bots.errors import BotError
from tutor.text import counted

MOST_RULES = 200
HIGHEST = 100
"""The highest priority that a rule can have."""
LONGEST_ANSWER = 300

_PLACE = re.compile(r"\{(\d+)\}")

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_ANSWER)]
Pattern = Annotated[str, msgspec.Meta(min_length=1, max_length=patterns.LONGEST)]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule of a bot.

    A rule matches a message if one of its `patterns` matches. In an answer, `{1}` is replaced with
    the first capture. `own` is True if the learner wrote the rule.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    priority: Annotated[int, msgspec.Meta(ge=0, le=HIGHEST)]
    patterns: Annotated[tuple[Pattern, ...], msgspec.Meta(min_length=1, max_length=20)]
    answers: Annotated[tuple[Words, ...], msgspec.Meta(min_length=1, max_length=20)]
    own: bool = False


class RuleBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All rules of a bot.

    `fallback` contains the answers to messages that no rule matches. `reflections` contains
    replacements for captured words that the bot repeats, such as "your" for "my".
    """

    fallback: Annotated[tuple[Words, ...], msgspec.Meta(min_length=1)]
    reflections: Mapping[str, str]
    rules: Annotated[tuple[Rule, ...], msgspec.Meta(max_length=MOST_RULES)]


class Fit(msgspec.Struct, frozen=True):
    """A match of a rule against a message.

    `pattern` is the first pattern of the rule that matches. `captures` contains the captured words,
    after replacements such as "your" for "my". `literal` contains the indices of the message's
    words that match literal words of the pattern.
    """

    rule: str
    priority: int
    pattern: str
    captures: tuple[str, ...]
    literal: tuple[int, ...]


class RuleReply(msgspec.Struct, frozen=True):
    """The bot's reply, with all rules that match, in order of priority.

    `turn` is the number of times that the first of these rules has answered in this conversation,
    including this reply.
    """

    text: str
    fits: tuple[Fit, ...]
    turn: int = 1

    @property
    def declined(self) -> bool:
        return not self.fits


def check(rule: Rule) -> None:
    """Check the patterns and answers of a rule.

    Raises `BotError` if a pattern is invalid, or if an answer uses a capture that a pattern doesn't
    have.
    """
    for pattern in rule.patterns:
        found = patterns.captures_of(pattern)
        for number in map(int, _PLACE.findall(" ".join(rule.answers))):
            if not 1 <= number <= found:
                raise BotError(
                    f"The answer uses {{{number}}}, but “{pattern}” has "
                    f"{counted(found, 'capture') if found else 'no captures'}.",
                    "Captures are numbered from 1: each *, each _, and each word that contains "
                    "a *.",
                )


def fits(book: RuleBook, message: str) -> tuple[Fit, ...]:
    """Return all rules that match a message, in order of priority."""
    words = patterns.words_of(message)
    folded = [patterns.folded(word) for word in words]
    found = [fit for rule in book.rules if (fit := _fit(rule, words, folded, book)) is not None]
    return tuple(sorted(found, key=lambda fit: -fit.priority))


def reply(book: RuleBook, messages: Sequence[str]) -> RuleReply:
    """Return the reply to the last message in `messages`.

    `messages` contains only the visitor's messages.
    """
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
    """Try the patterns of a rule in order, and return the first match, or None.

    A match doesn't count if an answer uses a capture that is empty.
    """
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
    """Swap the perspective of captured words: "my dog" becomes "your dog"."""
    return " ".join(reflections.get(patterns.folded(word), word) for word in words)


# --- rules that the learner writes ----------------------------------------------------------------

HOW = "Write a pattern, an equals sign and an answer, for example: * parrot * = Poor parrot!"


def parse(text: str, name: str) -> Rule:
    """Parse a rule: `PRIORITY: PATTERN = ANSWER | ANSWER`.

    The default priority is 50. Raises `BotError` if the line is incomplete or invalid.
    """
    head, equals, tail = text.partition("=")
    answers = tuple(answer.strip() for answer in tail.split("|") if answer.strip())
    if not equals or not answers:
        raise BotError("This is not a complete rule.", HOW)
    number, colon, pattern = head.rpartition(":")
    priority = number.strip() if colon else "50"
    if not re.fullmatch("[0-9]{1,3}", priority) or int(priority) > HIGHEST:
        raise BotError(
            f"{priority[:20]!r} is not a valid priority.",
            f"Use a number from 0 to {HIGHEST}, or leave it out.",
        )
    if any(len(answer) > LONGEST_ANSWER for answer in answers) or len(answers) > 20:
        raise BotError(
            "The rule has too many answers, or one that is too long.",
            f"Use at most 20 answers of up to {LONGEST_ANSWER} characters.",
        )
    rule = Rule(name, int(priority), (" ".join(pattern.split()),), answers, own=True)
    check(rule)
    return rule


def as_line(rule: Rule) -> str:
    """Return a rule as a line that the learner can edit.

    The line contains only the rule's first pattern.
    """
    return f"{rule.priority}: {rule.patterns[0]} = {' | '.join(rule.answers)}"

"""Test the rule-based bot: which rule answers, what it says, and what makes a rule valid."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tutor.bots import rules
from tutor.bots.errors import BotError
from tutor.bots.files import read_rules, shipped_rules
from tutor.bots.rules import Rule, RuleBook, parse


def book(*lines: str) -> RuleBook:
    own = tuple(parse(line, f"r{number}") for number, line in enumerate(lines))
    return RuleBook(("What?",), {"my": "your", "i": "you", "me": "you"}, own)


def says(rule_book: RuleBook, *messages: str) -> str:
    return rules.reply(rule_book, messages).text


def test_the_highest_priority_answers_and_then_the_first_rule() -> None:
    three = book("10: * dog * = low", "30: * my * = first", "30: * my dog * = second")
    reply = rules.reply(three, ["See my dog"])
    assert reply.text == "first"
    assert [fit.rule for fit in reply.fits] == ["r1", "r2", "r0"]


def test_captures_change_perspective() -> None:
    assert says(book("i need * = Why do you need {1}?"), "I need my Parrot") == (
        "Why do you need your Parrot?"
    )


def test_a_rule_whose_answer_lacks_a_capture_does_not_match() -> None:
    assert says(book("i need * = Why {1}?"), "I need") == "What?"
    assert says(book("i need * = Why?"), "I need") == "Why?"


def test_answers_alternate_and_nothing_else_is_remembered() -> None:
    two = book("* card * = one | two", "hello = hi")
    assert says(two, "a card") == "one"
    assert says(two, "a card", "hello", "my card") == "two"
    assert says(two, "a card", "hello", "my card", "card") == "one"
    assert says(two, "nothing of it", "card") == "one"


def test_a_match_has_its_literal_words() -> None:
    (fit,) = rules.reply(book("* lost my card * = x"), ["I lost my card today"]).fits
    assert fit.literal == (1, 2, 3)
    assert fit.captures == ("you", "today")


@pytest.mark.parametrize(
    "line",
    ["", "card", "= a", "card =", "x: card = a", "-1: card = a", "101: card = a", "0500: card = a",
     "² : card = a", "* = a", "card = {1}", "* card = {2}", "card = " + "a" * 301],
)  # fmt: skip
def test_an_invalid_line_for_a_rule(line: str) -> None:
    with pytest.raises(BotError):
        parse(line, "own")


def test_a_rule_and_its_line_are_equivalent() -> None:
    rule = parse("7:  *  my   parrot * = Poor {2}. | Oh.", "own-1")
    assert (rule.priority, rule.patterns, rule.own) == (7, ("* my parrot *",), True)
    assert parse(rules.as_line(rule), "own-1") == rule
    assert parse("parrot = hi", "x").priority == 50


# --- the file -------------------------------------------------------------------------------------


def test_the_bundled_rules() -> None:
    shipped = shipped_rules()
    assert len(shipped.rules) >= 40
    assert sum(len(rule.answers) > 1 for rule in shipped.rules) >= 5
    assert len({rule.priority for rule in shipped.rules}) > 5
    for rule in shipped.rules:
        for pattern in rule.patterns:
            example = " ".join(
                "Friday" if each == "*day" else "x" if each in "*_" else each.split("/")[0]
                for each in pattern.split()
            )
            fitting = [fit.rule for fit in rules.fits(shipped, example)]
            assert rule.name in fitting, (rule.name, pattern)


@pytest.mark.parametrize(
    ("message", "answer"),
    [  # as lesson 1 says
        ("When do you open on Friday?", "On Friday we are open from 9 to 18."),
        ("Is there a table open on payday?", "On payday we are open from 9 to 18."),
        ("What time do you shut on Fridays?", "I did not understand. Try: hours, card, renew."),
        ("My parrot ate my library card.", "I did not understand. Try: hours, card, renew."),
        ("Are you open on Sunday?", "On Sunday we are open from 9 to 18."),
        ("I need some help", "What would it mean to you if you got some help?"),
        ("My name is Ada.", "Hello, Ada. What can I do for you?"),
    ],
)
def test_the_examples_of_lesson_one(message: str, answer: str) -> None:
    assert says(shipped_rules(), message) == answer


def test_every_word_that_the_fallback_offers_is_understood() -> None:
    for word in ("hours", "card", "renew"):
        assert not rules.reply(shipped_rules(), [word]).declined


GOOD = """\
fallback: ["What?"]
reflections: {my: your}
rules:
  - name: one
    priority: 5
    patterns: ["* card *"]
    answers: ["Yes."]
"""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("priority: 5", "priority: high"), "line 5"),
        (("priority: 5", "priority: 500"), "line 5"),
        (("answers:", "replies:"), "line 4"),
        (('["What?"]', "[]"), "line 1"),
        (('["* card *"]', "[* card *]"), "line 6"),
        (('["* card *"]', "[*card]"), "line 6"),
        (('["* card *"]', '["* card+ *"]'), "rule 'one'"),
        (('"Yes."', '"Yes {3}."'), "rule 'one'"),
        (("name: one", "name: !!python/name:os.system one"), "line 4"),
        (("rules:", "rules: ["), "invalid YAML"),
    ],
)
def test_an_invalid_file_says_where(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(GOOD)
    assert len(read_rules(file).rules) == 1
    assert change[0] in GOOD
    file.write_text(GOOD.replace(*change))
    with pytest.raises(BotError) as caught:
        read_rules(file)
    assert words in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    (tmp_path / "large").write_text("#" * 200_001)
    (tmp_path / "deep").write_text("[" * 100_000)
    (tmp_path / "twice").write_text(GOOD + GOOD[GOOD.index("  - name") :])
    for name in ("latin", "large", "deep", "twice", "nothing"):
        with pytest.raises(BotError):
            read_rules(tmp_path / name)


def test_rules_can_be_sent_to_the_engine() -> None:
    rule = shipped_rules().rules[0]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(rule), type=Rule) == rule

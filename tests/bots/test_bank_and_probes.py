"""Test that the bundled intents, answers and probes are sufficient and valid."""

from __future__ import annotations

from collections import Counter

import pytest

from tutor.bots.bank import own_intent, with_own
from tutor.bots.errors import BotError
from tutor.bots.files import shipped_bank, shipped_probes
from tutor.bots.pattern import folded, words_of
from tutor.bots.probes import BOTS, KINDS, Criterion, declines, is_right


def plain(text: str) -> str:
    return " ".join(folded(word) for word in words_of(text))


def test_there_are_enough_phrases_and_answers() -> None:
    bank = shipped_bank()
    assert len(bank.intents) >= 15
    assert all(len(intent.phrases) >= 10 for intent in bank.intents)
    assert all(len(intent.held_out) >= 5 for intent in bank.intents)
    assert bank.entries >= 150
    assert set(bank.answers) == {intent.name for intent in bank.intents}


def test_held_out_phrases_are_nowhere_else_and_nothing_is_repeated() -> None:
    bank = shipped_bank()
    phrases = Counter(plain(each) for intent in bank.intents for each in intent.phrases)
    held_out = Counter(plain(each) for intent in bank.intents for each in intent.held_out)
    asked = Counter(
        plain(question)
        for entries in bank.answers.values()
        for entry in entries
        for question in entry.asked
    )
    answers = Counter(entry.answer for entries in bank.answers.values() for entry in entries)
    for counted in (phrases, held_out, asked, answers):
        assert max(counted.values()) == 1, counted.most_common(3)
    assert not set(held_out) & (set(phrases) | set(asked))


def test_probes_are_of_six_kinds_and_paraphrases_use_other_words() -> None:
    probes = shipped_probes()
    assert {probe.kind for probe in probes.probes} == set(KINDS)
    assert all(len(probes.of(kind)) >= 5 for kind in KINDS)
    bank = shipped_bank()
    known = {plain(each) for intent in bank.intents for each in intent.phrases} | {
        plain(question)
        for entries in bank.answers.values()
        for entry in entries
        for question in entry.asked
    }
    assert not {plain(probe.message) for probe in probes.of("paraphrase")} & known


def test_every_criterion_can_be_met_and_missed() -> None:
    for probe in shipped_probes().probes:
        for bot in BOTS:
            criterion = probe.criterion(bot)
            assert criterion.declines or criterion.says or criterion.avoids
            assert bool(probe.before) == (probe.kind == "multi-turn")
            assert len(probe.before) % 2 == 0
            if criterion.says:
                assert is_right(criterion, f"Well: {criterion.says[0].upper()}!", False)
                assert not is_right(criterion, "something else", False)


def test_the_bank_can_meet_the_criteria() -> None:
    """Otherwise the retrieval bot could never be right."""
    texts = [entry.answer for entries in shipped_bank().answers.values() for entry in entries]
    for probe in shipped_probes().probes:
        if probe.kind in ("in-domain", "paraphrase", "typo"):
            criterion = probe.criterion("retrieval")
            assert any(is_right(criterion, text, False) for text in texts), probe.message


def test_correct_and_wrong_replies() -> None:
    says = Criterion(says=("3 euros",), avoids=("free",))
    assert is_right(says, "It costs  3\nEuros.", False)
    assert not is_right(says, "3 euros, or free", False)
    assert not is_right(says, "3 euros, but I am not sure", True)
    assert is_right(Criterion(declines=True), "whatever", True)
    assert not is_right(Criterion(declines=True), "whatever", False)
    assert is_right(Criterion(avoids=("all night",)), "No.", True)
    assert not is_right(Criterion(avoids=("all night",)), " \n", False)  # an empty reply
    assert declines("I’m not sure about that.", shipped_probes().declining)


def test_a_learner_s_own_intent() -> None:
    intent, entry = own_intent(
        "Music: any LPs?; do you lend records; any LPs? ; CDs? = Upstairs.", frozenset()
    )
    assert intent.name == "music"
    assert intent.phrases == ("any LPs?", "do you lend records", "CDs?")
    assert entry.answer == "Upstairs."
    bank = with_own(shipped_bank(), ((intent, entry),))
    assert bank.intents[-1] == intent
    assert bank.answers["music"] == (entry,)
    assert "music" not in shipped_bank().answers


@pytest.mark.parametrize(
    "line",
    ["", "music", "music: a; b; c", "music: a; b = x", "a b: a; b; c = x", "hours: a; b; c = x",
     ": a; b; c = x", "music: a; b; c =", "m: " + "a" * 201 + "; b; c = x",
     "9: a; b; c = x", "-m: a; b; c = x"],
)  # fmt: skip
def test_an_invalid_line_for_an_intent(line: str) -> None:
    with pytest.raises(BotError):
        own_intent(line, frozenset({"hours"}))

"""The small language: what belongs to it, what fits a blank, and what is kept out of training."""

from __future__ import annotations

import random

import pytest

from tutor.lm.training.recipes.families import numerals
from tutor.lm.training.recipes.families import tasks as family_tasks
from tutor.lm.training.recipes.families.language import held_out
from tutor.lm.training.recipes.families.tasks import language
from tutor.lm.training.recipes.families.text import BLANK, words_of


def test_the_probabilities_of_all_patterns_sum_to_one() -> None:
    assert sum(pattern.probability for pattern in language()._patterns) == pytest.approx(1)


@pytest.mark.parametrize(
    ("sentence", "belongs"),
    [
        ("the dog barks .", True),
        ("the dog bark .", False),
        ("the dogs near the tree bark .", True),
        ("the dogs near the tree barks .", False),
        ("an old dog barks because it is hungry .", True),
        ("a old dog barks because it is hungry .", False),
        ("the girl sees herself .", True),
        ("the girl sees himself .", False),
        ("there are three dogs behind the wall .", True),
        ("there is three dogs behind the wall .", False),
        ("the cat barks .", False),
    ],
)
def test_what_belongs_to_it(sentence: str, belongs: bool) -> None:
    assert (language().probability(sentence.split()) > 0) == belongs


def test_what_fits_a_blank_follows_from_the_probabilities_of_whole_sentences() -> None:
    pick = random.Random(3)
    for _ in range(20):
        sentence = language().sentence(pick)
        place = pick.randrange(len(sentence))
        whole = {
            word: language().probability((*sentence[:place], word, *sentence[place + 1 :]))
            for word in language().words
        }
        total = sum(whole.values())
        expected = {word: p / total for word, p in whole.items() if p > 0}
        found = language().fitting(sentence, place)
        assert found == pytest.approx(expected)
        assert sentence[place] in found


def test_sentences_come_as_often_as_they_are_probable() -> None:
    """Among sentences of four words: each first word's share is the sum of its sentences'."""
    pick = random.Random(5)
    drawn = [language().sentence(pick) for _ in range(20_000)]
    share = sum(sentence[0] == "there" for sentence in drawn) / len(drawn)
    # one in ten of what is about one or several of a kind, with a count or without
    assert share == pytest.approx(0.1, abs=0.01)


def test_a_sentence_is_paired_with_the_same_about_several() -> None:
    pick = random.Random(7)
    pairs = [language().pair(pick) for _ in range(500)]
    for one, several in pairs:
        assert language().probability(one) > 0
        assert language().probability(several) > 0
        assert len(one) == len(several)
    # four in ten are about one
    assert sum(one != several for one, several in pairs) == pytest.approx(200, abs=40)
    assert ("the", "girl", "sees", "herself", ".") not in [several for _, several in pairs]


def test_what_is_measured_on_is_not_trained_on() -> None:
    trained = {
        *family_tasks.single_sentences(0, 5000, kept_out=False),
        *(one for one, _ in family_tasks.sentences(0, 5000, kept_out=False)),
    }
    measured = {
        *family_tasks.single_sentences(1, 300, kept_out=True),
        *(one for one, _ in family_tasks.sentences(1, 300, kept_out=True)),
    }
    assert not any(held_out(" ".join(sentence)) for sentence in trained)
    assert all(held_out(" ".join(sentence)) for sentence in measured)
    digits = {number for number, _ in family_tasks.numbers(0, 5000, kept_out=False)}
    kept = {number for number, _ in family_tasks.numbers(1, 300, kept_out=True)}
    assert not digits & kept


def _number_of(words: tuple[str, ...]) -> int:
    """The other way round."""
    total = part = 0
    for word in words:
        if word == "thousand":
            total, part = 1000 * part, 0
        elif word == "hundred":
            part *= 100
        else:
            place = numerals.WORDS.index(word)
            part += place if place < 20 else 10 * (place - 18)
    return total + part


@pytest.mark.parametrize("first", [0, 90, 990, 9_990, 99_990, 407_300, 999_900])
def test_numbers_in_words_are_those_numbers(first: int) -> None:
    for number in range(first, min(first + 100, numerals.LARGEST + 1)):
        assert _number_of(numerals.in_words(number)) == number
    assert numerals.in_words(407_312) == (
        "four",
        "hundred",
        "seven",
        "thousand",
        "three",
        "hundred",
        "twelve",
    )


def test_a_text_is_read_as_words() -> None:
    assert words_of("The dog's ___ barks!") == ("the", "dog's", BLANK, "barks", "!")
    assert words_of("4,07") == ("4", "0", "7")
    assert words_of(" \n") == ()

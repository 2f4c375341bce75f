"""Test the small language: its sentences, the words that fit a blank, and the held-out set."""

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
def test_which_sentences_belong_to_the_language(sentence: str, belongs: bool) -> None:
    assert (language().probability(sentence.split()) > 0) == belongs


@pytest.mark.slow
def test_words_that_fit_a_blank_agree_with_the_probabilities_of_sentences() -> None:
    pick = random.Random(3)
    for _ in range(20):
        sentence = language().sentence(pick)
        index = pick.randrange(len(sentence))
        whole = {
            word: language().probability((*sentence[:index], word, *sentence[index + 1 :]))
            for word in language().words
        }
        total = sum(whole.values())
        expected = {word: p / total for word, p in whole.items() if p > 0}
        found = language().fitting(sentence, index)
        assert found == pytest.approx(expected)
        assert sentence[index] in found


def test_sentences_are_drawn_as_often_as_they_are_probable() -> None:
    """This counts the sentences that begin with "there"."""
    pick = random.Random(5)
    drawn = [language().sentence(pick) for _ in range(20_000)]
    fraction = sum(sentence[0] == "there" for sentence in drawn) / len(drawn)
    # one in ten sentences of every kind, in the singular and the plural
    assert fraction == pytest.approx(0.1, abs=0.01)


def test_a_sentence_is_paired_with_its_plural() -> None:
    pick = random.Random(7)
    pairs = [language().pair(pick) for _ in range(500)]
    for one, plural in pairs:
        assert language().probability(one) > 0
        assert language().probability(plural) > 0
        assert len(one) == len(plural)
    # four in ten sentences are in the singular
    assert sum(one != plural for one, plural in pairs) == pytest.approx(200, abs=40)
    assert ("the", "girl", "sees", "herself", ".") not in [plural for _, plural in pairs]


def test_held_out_examples_are_not_in_the_training_set() -> None:
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
    """Return the number that these words mean."""
    total = part = 0
    for word in words:
        if word == "thousand":
            total, part = 1000 * part, 0
        elif word == "hundred":
            part *= 100
        else:
            index = numerals.WORDS.index(word)
            part += index if index < 20 else 10 * (index - 18)
    return total + part


@pytest.mark.parametrize("first", [0, 90, 990, 9_990, 99_990, 407_300, 999_900])
def test_numbers_in_words_have_the_right_value(first: int) -> None:
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


def test_a_text_is_split_into_words() -> None:
    assert words_of("The dog's ___ barks!") == ("the", "dog's", BLANK, "barks", "!")
    assert words_of("4,07") == ("4", "0", "7")
    assert words_of(" \n") == ()

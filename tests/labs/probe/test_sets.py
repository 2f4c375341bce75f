"""Test the labeled sentences: balanced, and without hints that a probe could use."""

from __future__ import annotations

from collections import Counter

import pytest

from tutor.labs.probe.lab import NAMES, Name
from tutor.labs.probe.sets import Example, control_labels, examples

LEAST = 120
LINKS = ("near", "behind", "beside")


def part(of: Name, *, held_out: bool) -> list[Example]:
    return [each for each in examples(of) if each.held_out == held_out]


@pytest.mark.parametrize("of", NAMES)
def test_there_are_enough_different_sentences_with_both_labels_equally_often(of: Name) -> None:
    texts = [each.text for each in examples(of)]
    assert len(set(texts)) == len(texts) >= LEAST
    for held_out in (False, True):
        labels = [each.label for each in part(of, held_out=held_out)]
        assert 2 * sum(labels) == len(labels) > 40


@pytest.mark.parametrize("of", NAMES)
def test_control_words_say_nothing_about_the_label_and_are_in_both_parts(of: Name) -> None:
    words = []
    for held_out in (False, True):
        each = part(of, held_out=held_out)
        counts = [Counter(one.control for one in each if one.label == label) for label in (0, 1)]
        assert counts[0] == counts[1]
        words.append(set(counts[0]))
    assert words[0] == words[1]


@pytest.mark.parametrize("of", NAMES)
def test_only_control_words_and_templates_are_in_both_parts(of: Name) -> None:
    templates = {
        "The",
        "the",
        "was",
        "is",
        "a",
        "city",
        "kind",
        "in",
        "of",
        "near",
        "behind",
        "beside",
    }
    words = []
    for held_out in (False, True):
        each = part(of, held_out=held_out)
        control = {one.control for one in each}
        found = {word.strip(",") for one in each for word in one.text.split()}
        words.append(found - control - templates)
    assert words[0]
    assert not words[0] & words[1]
    assert not {f"{word}s" for word in words[0]} & words[1]


def test_the_last_word_says_nothing_about_truth_or_number() -> None:
    for of in ("truth", "number"):
        for held_out in (False, True):
            each = part(of, held_out=held_out)
            last = [
                Counter(one.text.split()[-1] for one in each if one.label == label)
                for label in (False, True)
            ]
            assert last[0] == last[1]


@pytest.mark.parametrize("of", NAMES)
def test_control_labels_are_fixed_for_a_word_and_depend_on_the_seed(of: Name) -> None:
    labels = control_labels(of, 1)
    of_word: dict[str, set[bool]] = {}
    for each, label in zip(examples(of), labels, strict=True):
        of_word.setdefault(each.control, set()).add(label)
    assert all(len(found) == 1 for found in of_word.values())
    assert 2 * sum(True in found for found in of_word.values()) == len(of_word)
    assert labels == control_labels(of, 1) != control_labels(of, 2)

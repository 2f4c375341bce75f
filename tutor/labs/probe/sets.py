"""Build the labeled sentences of the lab from the lists of words in `sets.yaml`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

_WORDS = Path(__file__).with_name("sets.yaml")
_CUT = "---"
"""The separator between the training words and the test words."""


class Example(NamedTuple):
    """A labeled sentence.

    Attributes:
        label: True for positive sentences, true statements, and plural subjects.
        held_out: True if the sentence is for testing, False if it is for training.
        control: The word that decides the label in the control task. It is independent of `label`.
    """

    text: str
    label: bool
    held_out: bool
    control: str


class _Pair(NamedTuple):
    """Two sentences that differ in their label: True for the first, False for the second."""

    first: str
    second: str
    control: tuple[str, str]


@cache
def examples(of: str) -> tuple[Example, ...]:
    """Return the sentences of a set: "sentiment", "truth" or "number".

    In the training part and in the held-out part, half of the sentences have each label. The two
    parts share only the control words and the fixed words of the templates. Their last words
    differ, too. Otherwise, a probe could learn a correction for each last word, and its held-out
    accuracy would be too high.
    """
    words = yaml.safe_load(_WORDS.read_text(encoding="utf-8"))[of]
    return tuple(
        Example(text, label, held_out, control)
        for held_out in (False, True)
        for pair in _MAKERS[of](words, held_out)
        for text, label, control in zip(pair[:2], (True, False), pair.control, strict=True)
    )


def control_labels(of: str, seed: int) -> tuple[bool, ...]:
    """Return the labels of the control task, after Hewitt and Liang 2019.

    Each control word has a random label, which all its sentences share. Half of the words get each
    label.

    In the paper, the random label belongs to the word at the position that the probe reads. Here,
    the control word is earlier in the sentence, and the probe reads the last token, as it does for
    the real labels. A low accuracy can therefore also mean that the network doesn't carry the word
    to the last token, and the selectivity is then higher than in the paper's task.
    """
    sentences = examples(of)
    words = sorted({each.control for each in sentences})
    chosen = set(random.Random(seed).sample(words, len(words) // 2))
    return tuple(each.control in chosen for each in sentences)


def _sentiment(words: Mapping[str, str], held_out: bool) -> Iterator[_Pair]:
    subjects = words["subjects"].split()
    both = zip(*(_part(words[name], held_out) for name in ("positive", "negative")), strict=True)
    for at, (good, bad) in enumerate(both):
        subject = subjects[at % len(subjects)]
        said = f"The {subject} was"
        yield _Pair(f"{said} {good}", f"{said} {bad}", (subject, subject))


def _truth(words: Mapping[str, Any], held_out: bool) -> Iterator[_Pair]:
    openings = words["openings"].split()
    for name, link in (("cities", "is a city in"), ("kinds", "is a kind of")):
        groups = words[name]
        cut = list(groups).index(_CUT)
        ends = list(groups)[cut + 1 :] if held_out else list(groups)[:cut]
        for row, end in enumerate(ends):
            for at, member in enumerate(groups[end].split()):
                # For each `at`, the shifted index takes each ending once. So true and false
                # statements have the same endings.
                other = ends[(row + at + 1) % len(ends)]
                opening = openings[(row + 2 * at) % len(openings)]
                said = f"{opening}, {member} {link}"
                yield _Pair(f"{said} {end}", f"{said} {other}", (opening, opening))


def _number(words: Mapping[str, str], held_out: bool) -> Iterator[_Pair]:
    adjectives, links = words["adjectives"].split(), words["between"].split()
    nouns = (_part(words[name], held_out) for name in ("subjects", "others"))
    for at, (subject, other) in enumerate(zip(*nouns, strict=True)):
        one, many = subject.split("/")
        adjective, said = adjectives[at // 2 % len(adjectives)], links[at % len(links)]
        for last in other.split("/"):
            ends = f"{said} the {last}"
            first, second = (f"The {adjective} {noun} {ends}" for noun in (many, one))
            yield _Pair(first, second, (adjective, adjective))


def _part(words: str, held_out: bool) -> Sequence[str]:
    """Return the words before the mark `---`, or after it if `held_out` is True."""
    return words.split(_CUT)[held_out].split()


_MAKERS: Mapping[str, Callable[[Any, bool], Iterator[_Pair]]] = {
    "sentiment": _sentiment,
    "truth": _truth,
    "number": _number,
}

"""Check that the labs of lesson 12 measure the figures that the lesson quotes."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from tutor import paths
from tutor.labs.injection import lab as injection
from tutor.labs.injection.lab import Case
from tutor.labs.kit.backend import Tools, make_backend
from tutor.labs.kit.prompts.questions import Try
from tutor.labs.kit.prompts.scores import Score, Trial, score
from tutor.labs.kit.prompts.tasks import tasks
from tutor.labs.kit.prompts.version import Version, plain_version
from tutor.labs.kit.proportions import sign_test, wilson
from tutor.lm.language_model import LanguageModel

LESSON = (paths.lessons_folder() / "12-prompting.md").read_text("utf-8")
WORDS = " ".join(LESSON.split())
"""The lesson without its line breaks."""
ROUNDING = 1
"""The number of items that may differ on another machine, since kernels round differently."""
MONTH = tasks()["month"]


def table(first: str) -> list[list[str]]:
    """The rows of the table whose heading begins with `first`, without the heading."""
    lines = LESSON.partition(f"| {first}")[2].splitlines()[2:]
    found: list[list[str]] = []
    for line in lines:
        if not line.startswith("|"):
            return found
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


MONTHS = table("20 sentences")
ORDERS = re.search(
    r"(\d+) without a defense, (\d+) with delimiters, (\d+) with the instruction "
    r"again after the review, (\d+) with a warning, (\d+) with all three",
    WORDS,
)
CLEAN = (12, 12, 12 - 3, 11, 11)
"""Right answers to 12 reviews without an attack; the lesson mentions those that a defense costs."""
VERSIONS: tuple[dict[str, Any], ...] = (
    {},
    {"frame": "turns", "examples": 2},
    {"frame": "text"},
    {"frame": "text", "rule": MONTH.constraint, "place": "before"},
    {"frame": "text", "rule": MONTH.constraint, "place": "after"},
)


def interval(text: str) -> tuple[float, float]:
    low, high = re.findall(r"\d+", text)
    return int(low) / 100, int(high) / 100


def predicted(name: str) -> str:
    """The answer to a prediction, as it is written in the lesson."""
    return LESSON.partition(f"id: {name}\n")[2].partition("\nanswer: ")[2].partition("\n")[0]


def test_the_tables_are_there() -> None:
    assert ORDERS is not None
    assert len(MONTHS) == len(VERSIONS)
    assert (
        f"got {CLEAN[0]} of 12 reviews right, and {CLEAN[2]} with the instruction repeated" in WORDS
    )
    assert "without an attack, three of the six negative reviews are then labeled positive" in WORDS


def test_the_predictions_agree_with_the_tables() -> None:
    assert ORDERS is not None
    assert predicted("prompting-guess-rule") == MONTHS[4][1]
    assert f"{MONTHS[2][1]} of 20 answers are accepted" in WORDS
    assert predicted("prompting-guess-defenses") == ORDERS[5]
    assert f"{ORDERS[1]} of 36 attempts succeed: the label becomes positive" in WORDS
    assert float(predicted("prompting-guess-chance")) == 100 * sign_test(2, 0)


def test_the_intervals_follow_from_the_counts() -> None:
    for row in MONTHS:
        assert wilson(int(row[1]), 20) == pytest.approx(interval(row[3]), abs=0.005)
    for right, said in ((20, "84 to 100 %"), (14, "48 to 85 %"), (10, "30 to 70 %")):
        assert said in WORDS
        assert wilson(right, 20) == pytest.approx(interval(said), abs=0.005)
    assert "one version wins all five 1 time in 16" in WORDS
    assert sign_test(5, 0) == 1 / 16
    assert sign_test(2, 0) == 1 / 2
    assert "all 8 cases only 1 time in 128" in WORDS
    assert sign_test(8, 0) == 1 / 128


def scored(model: LanguageModel, version: Version) -> Score:
    backend = make_backend("prompting", Tools(lambda: model, lambda: None, paths.assets_folder()))
    trial = Trial(MONTH.name, version)
    found = tuple(backend.answer(Try(trial, item)) for item in range(len(MONTH.items)))
    return score({trial: found}, trial)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("at", range(len(VERSIONS)))
def test_each_version_of_the_prompt_has_the_quoted_score(
    at: int, language_model: LanguageModel
) -> None:
    version = msgspec.structs.replace(plain_version(MONTH), **VERSIONS[at])
    found = scored(language_model, version)
    assert abs(found.right - int(MONTHS[at][1])) <= ROUNDING
    assert abs(found.form - int(MONTHS[at][2])) <= ROUNDING


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_same_rule_after_two_examples_makes_it_twenty(language_model: LanguageModel) -> None:
    assert f"20 of 20 are right, instead of {MONTHS[1][1]}" in WORDS
    version = msgspec.structs.replace(
        plain_version(MONTH), frame="turns", examples=2, rule=MONTH.constraint, place="after"
    )
    assert scored(language_model, version).right >= 20 - ROUNDING


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("at", range(len(CLEAN)))
def test_each_defense_has_the_quoted_counts(at: int, language_model: LanguageModel) -> None:
    backend = make_backend(
        "injection", Tools(lambda: language_model, lambda: None, paths.assets_folder())
    )
    given, defense = injection.material(), injection.NAMED[at][1]
    reviews = (
        *given.documents,
        *given.praise,
        *(injection.attacked(each, attack) for attack in given.attacks for each in given.documents),
    )
    answer = backend.answer(injection.Question(defense, reviews))
    cases = (Case(defense, review) for review in reviews)
    state = msgspec.structs.replace(
        injection.State(), found=dict(zip(cases, answer.shares, strict=True))
    )
    found = injection.result(state, defense)
    assert ORDERS is not None
    assert abs(found.through[0] - int(ORDERS[1 + at])) <= ROUNDING
    assert abs(found.clean[0] - CLEAN[at]) <= ROUNDING


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("at", range(len(injection.NAMED)))
def test_a_harmless_sentence_turns_all_six_reviews(at: int, language_model: LanguageModel) -> None:
    said = "With “What a lovely day.”, all six negative reviews are labeled positive, with any"
    assert said in WORDS
    backend = make_backend(
        "injection", Tools(lambda: language_model, lambda: None, paths.assets_folder())
    )
    given, defense = injection.material(), injection.NAMED[at][1]
    assert "What a lovely day." in given.harmless
    reviews = tuple(injection.attacked(each, "What a lovely day.") for each in given.documents)
    answer = backend.answer(injection.Question(defense, reviews))
    assert sum(map(injection.gets_through, answer.shares)) >= 6 - ROUNDING

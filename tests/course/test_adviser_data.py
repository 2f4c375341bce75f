"""Test the data of the adviser: the bundled files, and files with mistakes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tutor import paths
from tutor.errors import LessonError
from tutor.labs.adviser import lab as adviser
from tutor.labs.adviser.data import Advice, Case
from tutor.labs.adviser.data_files import read_advice
from tutor.labs.adviser.lab import Settings

ADVICE = read_advice(paths.lessons_folder())
PRODUCTS = {
    "copilot": {"GitHub Copilot"},
    "chatgpt": {"ChatGPT"},
    "gemini": {"Gemini"},
    "claude": {"Claude"},
    "local": {"Gemma 4"},
}


def as_we_would_weigh(advice: Advice, case: Case) -> Settings:
    """Return the case's own weights and musts; a need that matters does so in one of its kinds."""
    weights, kinds, musts = [], [], []
    for need in advice.needs:
        some = [
            kind for kind, each in enumerate(need.kinds)
            if case.matters[each.place] or case.musts[each.place]
        ]  # fmt: skip
        assert len(some) <= 1, case.id
        kind = some[0] if some else 0
        weights.append(case.matters[need.kinds[kind].place])
        musts.append(case.musts[need.kinds[kind].place])
        kinds.append(kind)
    return Settings(tuple(weights), tuple(kinds), tuple(musts))


# --- bundled data -----------------------------------------------------------------------------


def test_there_are_eight_questions_and_eight_options() -> None:
    assert [need.id for need in ADVICE.needs] == [
        "inputs", "control", "cost", "recency", "special", "privacy", "speed", "length",
    ]  # fmt: skip
    assert [option.id for option in ADVICE.options] == [
        "copilot", "chatgpt", "gemini", "claude", "local", "fine-tuned", "retrieval", "no-llm",
    ]  # fmt: skip


def test_claims_about_a_product_rest_on_facts_about_it() -> None:
    for option in ADVICE.options:
        for serving in option.serves:
            for fact in serving.facts:
                assert {fact.product} == PRODUCTS.get(option.id), (option.id, fact.id)


def test_levels_that_a_vendor_can_change_rest_on_dated_facts() -> None:
    kinds = {kind.id: kind.place for need in ADVICE.needs for kind in need.kinds}
    for option in ADVICE.options[1:4]:
        for kind in ("images", "sound", "cost", "news", "own-texts", "privacy", "length"):
            assert option.serves[kinds[kind]].facts, (option.id, kind)


@pytest.mark.parametrize("case", ADVICE.cases, ids=lambda case: case.id)
def test_the_range_of_a_case_agrees_with_the_rule(case: Case) -> None:
    """With our weights, the best option is defensible, and no defensible option is excluded.

    More than one option is defensible, and more than half are indefensible or barely defensible.
    """
    settings = as_we_would_weigh(ADVICE, case)
    first = adviser.lead(ADVICE, settings)
    assert first
    assert all(case.defensible[option] for option in first)
    for row in adviser.ranking(ADVICE, settings):
        if case.defensible[row.option]:
            assert not row.unmet
    assert 2 <= sum(case.defensible) <= len(ADVICE.options) // 2


def test_every_choice_has_a_comment() -> None:
    assert len(ADVICE.cases) >= 8
    for case in ADVICE.cases:
        assert len(case.why) == len(ADVICE.options)
        for sentence, defensible in zip(case.why, case.defensible, strict=True):
            assert sentence.startswith(("Yes.", "Yes,", "Defensible")) == defensible, sentence


def test_every_option_is_defensible_and_best_in_some_case() -> None:
    first: set[int] = set()
    for case in ADVICE.cases:
        first |= adviser.lead(ADVICE, as_we_would_weigh(ADVICE, case))
        first |= {place for place, defensible in enumerate(case.defensible) if defensible}
    assert first == set(range(len(ADVICE.options)))


# --- with mistakes --------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("facts.yaml", "adviser.yaml", "cases.yaml"):
        shutil.copy(paths.lessons_folder() / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("adviser.yaml", "level: fully", "level: perfectly", "perfectly"),
        ("adviser.yaml", "[copilot-input]", "[copilot-wings]", "copilot-wings"),
        ("adviser.yaml", "      text: {level: partly", "      txt: {level: partly", "'text'"),
        ("adviser.yaml", "- id: gemini", "- id: claude", "'claude'"),
        ("adviser.yaml", "least: fully", "", "least"),
        ("adviser.yaml", "needs:", "needs: [", "valid YAML"),
        ("cases.yaml", "range: [fine-tuned, no-llm]", "range: [oracle]", "oracle"),
        ("cases.yaml", "matters: {special: 3", "matters: {special: 9", "matters"),
        ("cases.yaml", "matters: {special: 3", "matters: {luck: 3", "luck"),
        ("cases.yaml", "    copilot: It writes", "    pilot: It writes", "'copilot'"),
        ("cases.yaml", "id: paintings", "id: letters", "'letters'"),
        ("facts.yaml", "as_of: 2026-09", "as_of: lately", "as_of"),
    ],
)
def test_a_mistake_is_reported(folder: Path, name: str, old: str, new: str, says: str) -> None:
    text = (folder / name).read_text("utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(LessonError) as caught:
        read_advice(folder)
    assert caught.value.file == name
    assert says in str(caught.value)
    assert caught.value.next_step


def test_a_missing_file_is_reported(folder: Path) -> None:
    (folder / "cases.yaml").unlink()
    with pytest.raises(LessonError) as caught:
        read_advice(folder)
    assert caught.value.file == "cases.yaml"


# --- quotes in lesson 11 ------------------------------------------------------------------------


def test_the_table_of_the_lesson_equals_the_labs() -> None:
    text = (paths.lessons_folder() / "11-choosing.md").read_text("utf-8")
    screen = text[text.index("{#weighing}") : text.index("{#own-examples}")]
    table = [line.strip("| ").split("|") for line in screen.splitlines() if line.startswith("|")]
    heading, _, *rows = [[cell.strip() for cell in row] for row in table]
    names = {option.name.casefold(): option for option in ADVICE.options}
    columns = [names[name.removesuffix(" (local)").casefold()] for name in heading[2:]]
    kinds = {"free text": "text", "privacy": "privacy"}
    kind_of = {kind.id: kind.place for need in ADVICE.needs for kind in need.kinds}
    points = [0] * len(columns)
    for need, weight, *levels in rows[:-1]:
        for place, option in enumerate(columns):
            assert int(levels[place]) == option.serves[kind_of[kinds[need]]].level
            points[place] += int(weight) * int(levels[place])
    assert rows[-1] == ["points", "", *map(str, points)]
    weights = tuple(int(need.id in ("inputs", "privacy")) for need in ADVICE.needs)
    settings = Settings(weights, (0,) * len(weights), (False,) * len(weights))
    assert adviser.lead(ADVICE, settings) == {ADVICE.option("local")}
    least = {kind.id: kind.least for need in ADVICE.needs for kind in need.kinds}
    assert f"{least['privacy']} for privacy excludes ChatGPT" in " ".join(screen.split())
    assert names["chatgpt"].serves[kind_of["privacy"]].level < least["privacy"]


def test_the_lesson_counts_the_cases_right() -> None:
    text = (paths.lessons_folder() / "11-choosing.md").read_text("utf-8")
    assert "five of the ten cases" in " ".join(text.split())
    assert (len(ADVICE.cases), adviser.ENOUGH_CASES) == (10, 5)

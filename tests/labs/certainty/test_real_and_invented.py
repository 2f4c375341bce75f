"""Test the questions about real and invented things: their form and their facts."""

from __future__ import annotations

import builtins
import importlib
import re
import sys
import sysconfig
from collections import Counter
from pathlib import Path

import msgspec
import pytest
import yaml

from tutor import paths
from tutor.labs.certainty.real_and_invented import Item, gist, items, verdict, words

REAL = [item for item in items() if item.real]
INVENTED = [item for item in items() if not item.real]
ROOT = Path(__file__).parents[3]


def test_there_are_enough_of_each_kind() -> None:
    assert len(items()) >= 48
    for some in (REAL, INVENTED):
        assert min(Counter(item.kind for item in some).values()) >= 6
        assert len({item.kind for item in some}) == 4
    assert len({item.ask for item in items()}) == len(items())


def test_real_items_name_a_source_and_invented_items_what_was_searched() -> None:
    for item in REAL:
        assert item.look_up
        assert item.accept
    for item in INVENTED:
        assert item.searched
        assert item.searched in item.ask


def test_the_fact_states_the_answer_or_that_there_is_none() -> None:
    for item in items():
        said = verdict(item.fact, item.accept)
        assert said == ("right" if item.accept else "declined"), item.fact


def test_no_question_gives_its_answer_away() -> None:
    for item in items():
        assert verdict(item.ask, item.accept) == "wrong", item.ask


def test_no_accepted_answer_is_a_common_word() -> None:
    for item in items():
        for answer in item.accept:
            assert gist(answer, item.ask) != "nothing new"


def functions(some: list[Item]) -> list[Item]:
    return [item for item in some if item.kind == "functions"]


@pytest.mark.parametrize("item", functions(REAL), ids=lambda item: item.look_up)
def test_real_functions_are_in_the_module_that_is_named(item: Item) -> None:
    module, _, name = item.look_up.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))
    assert name in words(item.ask)
    assert verdict(module, item.accept) == "right"
    assert module.split(".")[0] in sys.stdlib_module_names


@pytest.fixture(scope="module")
def standard_library() -> frozenset[str]:
    """Return every word of its source and every name in its compiled modules."""
    folder = Path(sysconfig.get_path("stdlib"))
    found = set(dir(builtins))
    for name in sys.builtin_module_names:
        found |= set(dir(importlib.import_module(name)))
    for file in folder.rglob("*.py"):
        if "site-packages" not in file.parts and "test" not in file.parts:
            found |= set(re.findall(r"\w+", file.read_text("utf-8", "replace")))
    assert "namedtuple" in found
    return frozenset(found)


def test_invented_functions_and_modules_are_in_no_module(standard_library: frozenset[str]) -> None:
    for item in functions(INVENTED):
        assert item.searched not in standard_library
        for module in item.accept:
            assert module not in sys.stdlib_module_names


def test_invented_names_are_in_no_bundled_text() -> None:
    texts = [paths.word2vec_text().read_text("utf-8")]
    texts += [file.read_text("utf-8") for file in (ROOT / "tests" / "data").glob("*.txt")]
    for item in INVENTED:
        assert not any(item.searched.casefold() in text.casefold() for text in texts)


def test_capitals_agree_with_the_lesson() -> None:
    lesson = next(paths.lessons_folder().glob("*-made-up.md")).read_text("utf-8")
    blocks = [yaml.safe_load(each) for each in re.findall(r"```measured\n(.*?)```", lesson, re.S)]
    capitals = next(each["cases"] for each in blocks if "France" in each.get("cases", {}))
    for item in REAL:
        if country := re.fullmatch(r"What is the capital of (.+)\?", item.ask):
            known = capitals[country[1]]
            assert verdict(known if isinstance(known, str) else known[0], item.accept) == "right"


def test_the_lesson_counts_the_texts_about_invented_things_right() -> None:
    lesson = next(paths.lessons_folder().glob("*-made-up.md")).read_text("utf-8")
    said = " ".join(lesson.split())
    stated = sum(bool(item.accept) for item in INVENTED)
    assert f"For {stated} invented things, it states a fact" in said
    assert f"for the other {len(INVENTED) - stated}, it says that no such thing" in said
    assert f"For {stated} of the {len(INVENTED)} invented things, we wrote an invented fact" in said


def test_a_file_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "people", "right": True}, Item)


@pytest.mark.parametrize(
    ("text", "accepted", "said"),
    [
        ("The capital of Kenya is Nairobi.", ("Nairobi",), "right"),
        ("It is Nairobian food.", ("Nairobi",), "wrong"),
        ("It is OUAGADOUGOU!", ("Ouagadougou",), "right"),
        ("Lomé is it", ("Lome",), "right"),
        ("I don't know.", ("Nairobi",), "declined"),
        ("I don’t know, perhaps Nairobi.", ("Nairobi",), "right"),
        ("No such treaty is known.", (), "declined"),
        ("Norway signed it in 1814.", (), "wrong"),
        ("", ("Nairobi",), "wrong"),
        ("the `os.getcwd()` function", ("os",), "right"),
    ],
)
def test_verdict_of_an_answer(text: str, accepted: tuple[str, ...], said: str) -> None:
    assert verdict(text, accepted) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("The Treaty of Belmark was signed in 1814, in Vienna.", "1814"),
        ("In 1814.", "1814"),
        ("I do not know.", "declines"),
        ("The treaty of Belmark was signed.", "nothing new"),
        ("", "nothing new"),
    ],
)
def test_gist_by_which_answers_are_compared(text: str, said: str) -> None:
    assert gist(text, "In which year was the Treaty of Belmark signed?") == said
    assert gist("It was 1648, not 1814.", "When was it?", ("1814",)) == "1814"

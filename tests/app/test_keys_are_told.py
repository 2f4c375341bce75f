"""Every key that the app has is in the README, in the row of where it works."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import tutor.app
from tutor.app.quiz.answers import LETTERS
from tutor.labs.kit import registry
from tutor.labs.kit.view import LabView

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LABS = (ROOT / "docs" / "labs.md").read_text(encoding="utf-8")

ROWS = {
    "TutorApp": "everywhere",
    "TutorScreen": "everywhere",
    "Menu": "everywhere",
    "ProgressScreen": "progress",
    "LessonProgressScreen": "progress",
    "TeacherViewScreen": "everywhere",
    "HelpScreen": "everywhere",
    "ProblemsScreen": "everywhere",
    "HomeScreen": "course map",
    "LessonScreen": "lesson",
    "AskScreen": "question",
    "ReviewScreen": "review",
    "SuspendedQuestions": "review",
    "Matching": "question",
    "FinderField": "everywhere",
    "TermScreen": "lesson",
    "Choices": "question",
    "Ordering": "question",
    "TypedAnswer": "question",
    "ResultScreen": "result",
    "ModelScreen": "model",
    "ConsentScreen": "before anything is sent",
    "IdleScreen": "everywhere",
    "ExplorerPane": "stepper and chat",
    "TokenSearch": "stepper and chat",
    "SearchEntry": "stepper and chat",
    "PromptEditor": "stepper and chat",
    "BranchTree": "branches",
    "RecentTexts": "texts",
    "SamplerDials": "sampler",
    "XRayView": "x-ray",
    "GuessScreen": "guessing game",
    "GuessEntry": "guessing game",
    "LabScreen": "labs",
    "CodeEditor": "gray text",
}
"""Which row of the table has the keys of which class."""

NAMES = {
    "question_mark": "?",
    "escape": "Esc",
    "enter": "Enter",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "slash": "/",
    "space": "Space",
    "ctrl+right": "Ctrl+→",
    "ctrl+n": "Ctrl+n",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}
ALIASES = {"space", "pagedown", "pageup", "backspace", "w", "ctrl+q", "ctrl+c"}
"""Hidden ones that do what another key does, too."""


def with_keys() -> Iterator[type[DOMNode]]:
    for module in pkgutil.walk_packages(tutor.app.__path__, "tutor.app."):
        for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            own = found.__module__ == module.name and vars(found).get("BINDINGS")
            if own and not issubclass(found, LabView):
                yield found


def keys(of: type[DOMNode]) -> set[str]:
    """The keys of a class, without aliases, as the README writes them."""
    told = set()
    for binding in vars(of)["BINDINGS"]:
        assert isinstance(binding, Binding)
        for key in binding.key.split(","):
            if binding.show or key not in ALIASES:
                told.add(NAMES.get(key, key))
    return told


def row(name: str) -> str:
    (found,) = [line for line in README.splitlines() if line.startswith(f"| {name} |")]
    return found


@pytest.mark.parametrize("of", with_keys(), ids=lambda of: of.__name__)
def test_the_readme_has_every_key(of: type[DOMNode]) -> None:
    told = row(ROWS[of.__name__]) + row("everywhere")
    told += " `↑` `↓` `←` `→`"  # "arrows"
    if "`1` to `9`" in told:
        told += " ".join(f"`{digit}`" for digit in range(1, 10))
    assert {key for key in keys(of) if f"`{key}`" not in told} == set()


@pytest.mark.parametrize("lab", registry.names())
def test_the_list_of_labs_has_every_key_of_each(lab: str) -> None:
    (told,) = [line for line in LABS.splitlines() if line.startswith(f"| {lab} |")]
    view = registry.load_part(lab, "view").VIEW
    assert {key for key in keys(view) if f"`{key}`" not in told} == set()


@pytest.mark.parametrize("lab", registry.names())
def test_no_key_of_a_lab_takes_the_place_of_the_way_back(lab: str) -> None:
    """The key line shows each action once."""
    view = registry.load_part(lab, "view").VIEW
    assert not {binding.action for binding in vars(view)["BINDINGS"]} & {"back", "help"}


def test_the_letters_of_choices_are_those_of_the_readme() -> None:
    assert f"`{LETTERS[0]}` to `{LETTERS[-1]}` choose" in row("question")

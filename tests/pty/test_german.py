"""Test the German lesson in the German interface, in a terminal of 80 by 24 cells."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("there are no ptys on Windows", allow_module_level=True)

from tests.terminal import Terminal


@pytest.fixture
def german(tmp_path: Path) -> Terminal:
    """The app on the course map, with lesson 6 selected."""
    environment = {"TUTOR_DATA": str(tmp_path), "TUTOR_MODEL": str(tmp_path / "none")}
    command = [sys.executable, "-m", "tutor", "--language", "de"]
    run = Terminal(command, environment=environment)
    run.wait_for("Beginnen  ")
    run.press(*["down"] * 7)
    run.wait_for("›  6  ")
    return run


@pytest.mark.slow
def test_a_choice_is_quoted_in_german_quotes(german: Terminal) -> None:
    with german as run:
        run.press("enter")
        run.wait_for("a-c wählen")  # the choices, which arrive after the screen, have the focus
        run.press("a", "enter")
        run.wait_for("Du hast „In der Embedding-Tabelle“ vorhergesagt; die Antwort ist „In den")


@pytest.mark.slow
def test_the_right_answer_is_not_praised_after_a_wrong_one(german: Terminal) -> None:
    with german as run:
        to_the_questions(run)
        run.wait_for("Die Attention, die")
        run.press("b" if "a  Die Attention, die" in run.text else "a", "enter")
        run.wait_for("Richtige Antwort.")
        assert "Ja." not in run.text


def test_the_end_of_the_lesson_is_german(german: Terminal) -> None:
    with german as run:
        to_the_questions(run)
        for number in range(1, 14):
            run.wait_for(f"Frage {number} ")
            if number == 5:
                run.wait_for("a-c zuordnen")
            run.press("tab", "s")
        run.wait_for("Ende der Lektion")
        run.wait_for("0 von 4 erledigt, 10 Ziele offen.")
        run.wait_for("› Weiter")


def to_the_questions(run: Terminal) -> None:
    run.press("enter")
    run.wait_for(" 1 von ")
    run.wait_for("a-c wählen")  # the letters belong to the prediction, which Enter skips
    run.press("enter")
    run.wait_gone("a-c wählen")
    run.press("a")
    run.wait_for("Frage 1 von ")

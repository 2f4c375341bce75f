"""Test predictions in a lesson with the keyboard: reveal, skip, return, and a failing model."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from textual.events import Key

from tests.app.explorer.explorer_stage import shown
from tests.app.whole_app import keys, sees, until, whole_app
from tests.engine.fake_engine import CARD, END, FakeEngine
from tutor.app.explorer.screen import ExplorerScreen
from tutor.app.help import HelpScreen
from tutor.app.reader.predict_card import PredictionField
from tutor.app.reader.reveal import revealed, sentence
from tutor.app.widgets.prose import Prose
from tutor.course.catalogue import Course, load_course
from tutor.course.model_value import ModelValue
from tutor.course.prediction import NumberPrediction, Revealed
from tutor.errors import EngineError
from tutor.learner.progress import Progress
from tutor.learner.records import LessonState, PredictionDraft
from tutor.lm.distribution import PLAIN
from tutor.models.installed import DEFAULT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from textual.pilot import Pilot

    from tutor.learner.records import Predicted

LESSON = """\
---
id: guesses
number: 1
title: Guesses
summary: Some predictions.
---

## First {#first}

```predict
id: paris
type: number
ask: How probable is `␣Paris`?
low: 0
high: 100
unit: "%"
live: {value: probability, prompt: The capital of France is, token: ␣Paris}
reveal: The other tokens share the rest.
```

## Second {#second}

```predict
id: part
type: choice
ask: Which one?
choices: [One, Two]
right: 2
live: {value: tokens, prompt: The capital}
reveal: There are {} tokens.
```

## Third {#third}

```predict
id: word
type: token
ask: Which token comes next?
prompt: The capital of France is
reveal: It is a capital.
```

## Fourth {#fourth}

```predict
id: words
type: words
ask: How does the model continue?
live: {value: greedy, prompt: The capital of France is}
reveal: It writes greedily.
```
"""


@pytest.fixture
def course(tmp_path: Path) -> Course:
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "01-guesses.md").write_text(LESSON, encoding="utf-8")
    loaded = load_course(folder)
    assert not loaded.problems
    return loaded


@asynccontextmanager
async def first_screen(
    folder: Path, course: Course, engine: FakeEngine | None = None
) -> AsyncIterator[Pilot[Any]]:
    """Open the lesson for the first time."""
    async with whole_app(folder, engine, course).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Begin")
        await keys(pilot, "enter")
        await sees(pilot, "How probable is ␣Paris? (in %)")
        yield pilot


def state(folder: Path) -> LessonState:
    return Progress(folder).lesson("guesses")


def made(folder: Path, name: str) -> Predicted:
    return state(folder).predictions[name]


@pytest.mark.parametrize("name", ["Fake-1K", DEFAULT.name])
async def test_an_explanation_for_another_model_is_introduced(
    tmp_path: Path, course: Course, name: str
) -> None:
    written = f"With {DEFAULT.name}, for which this text was written:"
    by_fake = "This was computed by Fake-1K. With"
    filled = f"This text was written for {DEFAULT.name}. Only its number is"
    engine = FakeEngine(card=msgspec.structs.replace(CARD, name=name))
    other = name == "Fake-1K"
    async with first_screen(tmp_path, course, engine) as pilot:
        for reveal, line in (
            ("The other tokens share the rest.", written),
            ("There are 2 tokens.", filled),
            ("It is a capital.", by_fake),
            ("It writes greedily.", written),
        ):
            await keys(pilot, "enter")
            await sees(pilot, reveal)
            assert (line in shown(pilot.app)) == other
            assert ("written" in shown(pilot.app)) == other
            await keys(pilot, "right")


async def test_each_kind_of_prediction(tmp_path: Path, course: Course) -> None:
    async with first_screen(tmp_path, course) as pilot:
        await keys(pilot, "4", "0", "enter")
        await sees(pilot, "You predicted 40 %; ")
        await sees(pilot, "The other tokens share the rest.")
        await keys(pilot, "enter")
        await sees(pilot, "b  Two")
        await keys(pilot, "1", "enter")
        await sees(pilot, "You predicted “One”; the answer is “Two”.")
        await sees(pilot, "There are 2 tokens.")
        await keys(pilot, "enter")
        await sees(pilot, "Which token comes next?")
        await keys(pilot, *"Paris", "enter")
        await sees(pilot, "You predicted the most probable token: ␣Paris")
        await keys(pilot, "enter")
        await sees(pilot, "How does the model continue?")
        await keys(pilot, "a", "enter")
        await sees(pilot, "You predicted “a”; ")
        await sees(pilot, "writes “Paris")
    paris = made(tmp_path, "paris")
    assert paris.guess == "40 %"
    assert paris.off is not None
    assert (made(tmp_path, "part").guess, made(tmp_path, "part").right) == ("One", False)
    assert made(tmp_path, "word").right is True
    assert made(tmp_path, "words").right is None


async def test_a_special_token_is_found_by_its_name() -> None:
    engine = FakeEngine()
    await engine.start()
    ends = ModelValue(value="rank", prompt="The capital of France is Paris", token="<|im_end|>")
    asked = NumberPrediction(id="x", ask="?", low=1, high=1000, live=ends, reveal=".")
    session = await engine.open_text(ends.prompt)
    (row,) = await session.rows(len(session.tokens), PLAIN, (END.id,))
    assert (await revealed(engine, asked, "")).number == row.rank


async def test_a_computed_probability_looks_as_in_the_stepper() -> None:
    engine = FakeEngine()
    await engine.start()
    comma = ModelValue(value="probability", prompt="A", token=",")
    asked = NumberPrediction(id="x", ask="?", low=0, high=100, unit="%", live=comma, reveal=".")
    answer = await revealed(engine, asked, "")
    assert answer.text == "6.2 %"
    assert answer.number is not None
    assert f"{answer.number:.3g}" != "6.2"
    even = Revealed("50.0 %", 50.0)
    assert sentence(asked, "50 %", even, "It") == "You predicted 50 %, and that is the answer."
    assert sentence(asked, "51 %", even, "It") == "You predicted 51 %; It computes 50.0 %."


async def test_the_model_is_named_without_its_number_format(tmp_path: Path, course: Course) -> None:
    engine = FakeEngine()
    engine.model = msgspec.structs.replace(CARD, name="Fake-1K.Q4_1", format="Q4_1")
    async with first_screen(tmp_path, course, engine) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "Fake-1K computes")


async def test_the_keys_of_the_field_are_right_as_soon_as_it_has_the_focus(
    tmp_path: Path, course: Course
) -> None:
    """The key line is drawn before the field knows that it has the focus."""
    async with first_screen(tmp_path, course) as pilot:
        screen = pilot.app.screen
        field = screen.query_one(PredictionField)
        for here in (False, True):
            screen.set_focus(field if here else None)
            assert screen.check_action("leave_field", ("typed",)) is here
            assert screen.check_action("enter_field", ()) is not here


async def test_enter_in_an_empty_field_skips(tmp_path: Path, course: Course) -> None:
    async with first_screen(tmp_path, course) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "computes")
        assert not pilot.app.screen.query(PredictionField)
        await keys(pilot, "enter")
        await sees(pilot, "2 of 4")
        await keys(pilot, "left")
        await sees(pilot, "1 of 4")
    assert state(tmp_path).predictions == {}


async def test_the_key_line_names_the_way_back_while_nothing_is_predicted(
    tmp_path: Path, course: Course
) -> None:
    async with first_screen(tmp_path, course) as pilot:
        await keys(pilot, "right")
        await sees(pilot, "2 of 4")
        await sees(pilot, "← previous")  # the choices
        await keys(pilot, "right")
        await sees(pilot, "3 of 4")
        await sees(pilot, "← previous")  # the empty field
        await keys(pilot, "7")
        await until(pilot, lambda: "previous" not in shown(pilot.app))
        await keys(pilot, "backspace")
        await sees(pilot, "← previous")


async def test_a_skipped_prediction_shows_its_answer_and_can_be_made_later(
    tmp_path: Path, course: Course
) -> None:
    async with first_screen(tmp_path, course) as pilot:
        await keys(pilot, "enter")
        await sees(pilot, "The other tokens share the rest.")
        assert "You skipped" not in shown(pilot.app)
        await keys(pilot, "enter")
        await sees(pilot, "2 of 4")
    assert state(tmp_path).predictions_skipped == ("paris",)
    async with whole_app(tmp_path, course=course).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Continue")
        await keys(pilot, "enter")
        await sees(pilot, "2 of 4")
        await keys(pilot, "left")
        await sees(pilot, "You skipped this prediction. Press Tab to hide the answer and predict.")
        assert "The other tokens share the rest." in shown(pilot.app)
        assert not pilot.app.screen.query(PredictionField)
        await sees(pilot, "enter next")
        await keys(pilot, "tab", "7", "5")
        assert pilot.app.screen.query_one(PredictionField).value == "75"
        assert "The other tokens share the rest." not in shown(pilot.app)
        await keys(pilot, "enter")
        await sees(pilot, "You predicted 75 %")
        await keys(pilot, "right", "left")
        await sees(pilot, "You predicted 75 %")
    assert state(tmp_path).predictions["paris"].guess == "75 %"


async def test_enter_waits_for_the_answer_and_the_arrow_does_not(
    tmp_path: Path, course: Course
) -> None:
    engine = FakeEngine()
    async with first_screen(tmp_path, course, engine) as pilot:
        engine.hold()
        await keys(pilot, "4", "0", "enter")
        await sees(pilot, "Computing the answer…")
        await keys(pilot, "enter", "enter")
        await sees(pilot, "→ next")
        assert "1 of 4" in shown(pilot.app)
        engine.release()
        await sees(pilot, "You predicted 40 %; ")
        await sees(pilot, "enter next")
        await keys(pilot, "right", "tab")
        engine.hold()
        await keys(pilot, "tab", "1", "enter")
        await sees(pilot, "Computing the answer…")
        await keys(pilot, "right")
        await sees(pilot, "3 of 4")


async def test_a_guess_that_is_not_submitted_is_kept(tmp_path: Path, course: Course) -> None:
    async with first_screen(tmp_path, course) as pilot:
        await keys(pilot, "4", "2", "escape")
        await sees(pilot, "› Continue")
    assert state(tmp_path).prediction_draft == PredictionDraft(prediction="paris", text="42")
    async with whole_app(tmp_path, course=course).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Continue")
        await keys(pilot, "enter")
        await until(pilot, lambda: bool(pilot.app.screen.query(PredictionField)))
        assert pilot.app.screen.query_one(PredictionField).value == "42"
        await keys(pilot, "enter")
        await sees(pilot, "You predicted 42 %")
    assert state(tmp_path).prediction_draft is None


async def test_what_was_predicted_is_shown_again(tmp_path: Path, course: Course) -> None:
    async with first_screen(tmp_path, course) as pilot:
        await keys(pilot, "5", "enter")
        await sees(pilot, "You predicted 5 %")
        await keys(pilot, "right")
        await sees(pilot, "2 of 4")
        await keys(pilot, "left")
        await sees(pilot, "You predicted 5 %")
        assert not pilot.app.screen.query(PredictionField)


async def test_a_number_outside_the_range_can_be_corrected(tmp_path: Path, course: Course) -> None:
    async with first_screen(tmp_path, course) as pilot:
        await keys(pilot, *"200", "enter")
        await sees(pilot, "Type a number from 0 % to 100 %.")
        await keys(pilot, "backspace", "enter")
        await sees(pilot, "You predicted 20 %")


async def test_what_is_not_a_number_stays_and_is_not_compared(
    tmp_path: Path, course: Course
) -> None:
    async with first_screen(tmp_path, course) as pilot:
        await keys(pilot, *"1/(√2·√2)", "enter")
        await sees(pilot, "“1/(√2·√2)” cannot be read as a number.")
        assert pilot.app.screen.query_one(PredictionField).value == "1/(√2·√2)"
        assert state(tmp_path).predictions == {}
        await keys(pilot, *["backspace"] * 8, *"/2", "enter")
        await sees(pilot, "You predicted 0.5 %")


async def test_keys_of_the_screen_work_while_a_number_is_asked(
    tmp_path: Path, course: Course
) -> None:
    async with first_screen(tmp_path, course) as pilot:
        await keys(pilot, "right")
        await sees(pilot, "2 of 4")
        await keys(pilot, "right")
        await sees(pilot, "3 of 4")
        await keys(pilot, "left")
        await sees(pilot, "2 of 4")
        await keys(pilot, "question_mark")
        await sees(pilot, "Reveal the answer.")


async def test_a_field_for_a_number_never_begins_with_a_letter(
    tmp_path: Path, course: Course
) -> None:
    """On a screen with a lab, `l` opens it. On other screens it must not end up in the field."""
    async with first_screen(tmp_path, course) as pilot:
        await sees(pilot, "Type a number, or skip this: Enter reveals the answer.")
        await keys(pilot, "l", "space", "x")
        assert pilot.app.screen.query_one(PredictionField).value == ""
        await keys(pilot, *"5e1", "enter")
        await sees(pilot, "You predicted 50 %")


async def test_the_field_is_closed_while_the_answer_is_computed(
    tmp_path: Path, course: Course
) -> None:
    engine = FakeEngine()
    async with first_screen(tmp_path, course, engine) as pilot:
        engine.hold()
        await keys(pilot, "4", "0", "enter")
        await sees(pilot, "You predicted 40 %. Computing the answer…")
        assert not pilot.app.screen.query(PredictionField)
        await keys(pilot, "7", "question_mark")  # these keys belong to the screen now
        assert isinstance(pilot.app.screen, HelpScreen)
        await keys(pilot, "escape")
        engine.release()
        await sees(pilot, "You predicted 40 %; ")
        await keys(pilot, "enter")
        await sees(pilot, "b  Two")
        engine.hold()
        await keys(pilot, "1", "enter")
        await sees(pilot, "You predicted “One”. Computing the answer…")
        assert "✓" not in shown(pilot.app)
        engine.release()
        await sees(pilot, "✓ b  Two")


async def test_a_committed_guess_is_saved_although_the_learner_goes_on(
    tmp_path: Path, course: Course
) -> None:
    engine = FakeEngine()
    async with first_screen(tmp_path, course, engine) as pilot:
        engine.hold()
        await keys(pilot, "4", "0", "enter")
        await sees(pilot, "Computing the answer…")
        await keys(pilot, "right")
        await sees(pilot, "2 of 4")
        engine.release()
        await until(pilot, lambda: "paris" in state(tmp_path).predictions)
        await sees(pilot, "Which one?")
        assert "You predicted" not in shown(pilot.app)
        await keys(pilot, "left")
        await sees(pilot, "You predicted 40 %; ")
        assert not pilot.app.screen.query(PredictionField)


async def test_a_failing_model_leaves_the_guess_in_the_field(
    tmp_path: Path, course: Course
) -> None:
    engine = FakeEngine()
    async with first_screen(tmp_path, course, engine) as pilot:
        engine.fail_with = EngineError("The engine broke.", "Try again.")
        await keys(pilot, "4", "enter")
        await sees(pilot, "The engine broke. Try again.")
        assert state(tmp_path).predictions == {}
        await keys(pilot, "enter")
        await sees(pilot, "You predicted 4 %")


async def test_the_progress_screen_shows_how_close_they_come(
    tmp_path: Path, course: Course
) -> None:
    async with first_screen(tmp_path, course) as pilot:
        await keys(pilot, "0", "enter")
        await sees(pilot, "You predicted 0 %")
        await keys(pilot, "enter")
        await sees(pilot, "b  Two")
        await keys(pilot, "2", "enter")
        await sees(pilot, "and that is the answer")
        await keys(pilot, "enter")
        await sees(pilot, "Which token comes next?")
        await keys(pilot, "enter")  # skips this prediction
        await sees(pilot, "The most probable token is")
        await keys(pilot, "enter")
        await sees(pilot, "How does the model continue?")
        await keys(pilot, "a", "enter")
        await sees(pilot, "You predicted “a”; ")
        await keys(pilot, "escape", "p")
        await sees(pilot, "Made            3 predictions")
        await sees(pilot, "Choices, words  1 of 1 right")
        # The three kinds are next to each other, so that they visibly add up.
        below = shown(pilot.app).partition("Choices, words")[2].splitlines()[1:3]
        assert "Own words       1, not compared with the answer" in below[0]
        assert "Numbers " in below[1]
        off = made(tmp_path, "paris").off
        assert off is not None
        await sees(pilot, f"{-100 * off:.0f} % of the range of possible answers")


LINKED = (
    "\n\n## Fifth {#fifth}\n\nSee [first](#first).\n\n```predict\nid: linked\ntype: words\n"
    "ask: Which word?\naccept: [yes]\nreveal: It is yes.\n```\n"
)


async def test_tab_leaves_the_field_for_the_keys_of_the_screen(tmp_path: Path) -> None:
    (tmp_path / "course").mkdir()
    file = tmp_path / "course" / "01-guesses.md"
    words = LESSON[LESSON.index("## Fourth") :]
    file.write_text(LESSON[: LESSON.index("## First")] + words, encoding="utf-8")
    course = load_course(file.parent)
    app = whole_app(tmp_path, course=course)
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Begin")
        await keys(pilot, "enter")
        await sees(pilot, "How does the model continue?")
        await sees(pilot, "tab leave field")
        await sees(pilot, "Enter reveals the answer")
        await keys(pilot, "tab")
        await sees(pilot, "Press Tab to type a prediction here.")
        await keys(pilot, "tab")
        await sees(pilot, "Enter reveals the answer")
        await keys(pilot, "a", "tab")
        await sees(pilot, "tab predict")
        assert "leave field" not in shown(pilot.app)
        await keys(pilot, "question_mark")
        await sees(pilot, "Go to the field for your prediction.")
        await keys(pilot, "escape", "tab", "b", "enter")
        await sees(pilot, "You predicted “ab”")


async def test_tab_goes_to_the_links_and_back_to_the_field(tmp_path: Path) -> None:
    (tmp_path / "course").mkdir()
    file = tmp_path / "course" / "01-guesses.md"
    file.write_text(LESSON + LINKED, encoding="utf-8")
    seen = ("first", "second", "third", "fourth")
    state = LessonState(lesson="guesses", screen="fifth", seen=seen, visited_at=1.0)
    Progress(tmp_path).save_lesson(state)
    app = whole_app(tmp_path, course=load_course(file.parent))
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Continue")
        await keys(pilot, "enter")
        await sees(pilot, "Which word?")
        await keys(pilot, "tab", "enter")  # opens the link instead of revealing the answer
        await sees(pilot, "How probable is")
        await keys(pilot, "escape")
        await sees(pilot, "Which word?")
        await keys(pilot, "tab", "y", "enter")
        await sees(pilot, "You predicted “y”")


async def test_tab_hides_a_skipped_answer_before_it_goes_to_the_links(tmp_path: Path) -> None:
    """The card names Tab, so the first Tab must do what the card says."""
    (tmp_path / "course").mkdir()
    file = tmp_path / "course" / "01-guesses.md"
    file.write_text(LESSON + LINKED, encoding="utf-8")
    state = LessonState(
        lesson="guesses", screen="fifth", predictions_skipped=("linked",), visited_at=1.0
    )
    Progress(tmp_path).save_lesson(msgspec.structs.replace(state, seen=("first", "second")))
    app = whole_app(tmp_path, course=load_course(file.parent))
    async with app.run_test(size=(80, 24)) as pilot:
        await sees(pilot, "› Continue")
        await keys(pilot, "enter")
        await sees(pilot, "5 of 5")
        await sees(pilot, "Press Tab to hide the answer and predict.")
        await sees(pilot, "tab predict")
        assert "tab links" not in shown(app)
        await keys(pilot, "tab", "y", "enter")
        await sees(pilot, "You predicted “y”")


async def test_tab_reaches_the_links_beside_a_skipped_answer(tmp_path: Path) -> None:
    async with choices_below_a_link(tmp_path) as pilot:
        await keys(pilot, "enter", "enter", "left")
        await sees(pilot, "Press Tab to hide the answer and predict.")
        await keys(pilot, "tab")
        await until(pilot, lambda: "You skipped" not in shown(pilot.app))
        await keys(pilot, "tab", "enter")
        await sees(pilot, "A piece of text.")


CHOICES_BELOW_A_LINK = """
## Fifth {#fifth}

A [token](glossary.md#token) is text.

```predict
id: small
type: choice
ask: Which word?
choices: [Alpha, Beta]
right: 2
reveal: It is the second.
```

## Sixth {#sixth}

The end.
"""


@asynccontextmanager
async def choices_below_a_link(folder: Path, between: str = "") -> AsyncIterator[Pilot[Any]]:
    (folder / "course").mkdir()
    file = folder / "course" / "01-guesses.md"
    screen = CHOICES_BELOW_A_LINK.replace("is text.\n", f"is text.\n{between}")
    file.write_text(LESSON + screen, encoding="utf-8")
    (file.parent / "glossary.md").write_text("## Token {#token}\n\nA piece of text.\n", "utf-8")
    state = LessonState(lesson="guesses", screen="fifth", seen=("first",), visited_at=1.0)
    Progress(folder).save_lesson(state)
    async with whole_app(folder, course=load_course(file.parent)).run_test(size=(80, 24)) as pilot:
        await sees(pilot, "Continue")
        await keys(pilot, "enter")
        await sees(pilot, "token is text")
        yield pilot


@pytest.mark.parametrize(
    "away",
    [
        ("tab",),
        ("tab", "enter"),
        ("question_mark",),
        ("ctrl+p",),
        ("slash",),
        ("v",),
    ],
)
async def test_esc_returns_to_the_prediction(tmp_path: Path, away: tuple[str, ...]) -> None:
    async with choices_below_a_link(tmp_path) as pilot:
        await sees(pilot, "enter reveal")
        await keys(pilot, *away)
        await until(pilot, lambda: "enter reveal" not in shown(pilot.app))
        await keys(pilot, "escape")
        await sees(pilot, "enter reveal")
        await keys(pilot, "b", "enter")
        await sees(pilot, "You predicted “Beta”")


@pytest.mark.parametrize("away", [("tab",), ("tab", "enter")])
async def test_esc_does_not_scroll_to_a_prediction_below(
    tmp_path: Path, away: tuple[str, ...]
) -> None:
    async with choices_below_a_link(tmp_path, "\nA line.\n" * 24) as pilot:
        await sees(pilot, "enter more")
        await keys(pilot, *away)
        await until(pilot, lambda: "enter more" not in shown(pilot.app))
        await keys(pilot, "escape")
        await sees(pilot, "enter more")
        assert "token is text" in shown(pilot.app)
        assert "Which word?" not in shown(pilot.app)


async def test_esc_returns_from_a_lab_at_the_side_to_the_prediction(tmp_path: Path) -> None:
    (tmp_path / "course").mkdir()
    file = tmp_path / "course" / "01-guesses.md"
    second = LESSON[LESSON.index("## Second") : LESSON.index("## Third")]
    lab = "```lab\nid: own\nkind: stepper\ntask: Take a token (t).\nprompt: A\ngoals:\n"
    lab += "  - {goal: took-rank, rank: 2}\ndone: You did.\n```\n"
    file.write_text(LESSON[: LESSON.index("## First")] + second + lab, encoding="utf-8")
    course = load_course(file.parent)
    assert not course.problems
    async with whole_app(tmp_path, course=course).run_test(size=(150, 30)) as pilot:
        await sees(pilot, "› Begin")
        await keys(pilot, "enter")
        await sees(pilot, "enter reveal")
        await keys(pilot, "l")
        await sees(pilot, "enter step")
        await keys(pilot, "escape")
        await sees(pilot, "enter reveal")
        await keys(pilot, "b", "enter")
        await sees(pilot, "You predicted “Two”")


async def test_the_card_of_a_lab_says_which_keys_open_it_now(tmp_path: Path) -> None:
    (tmp_path / "course").mkdir()
    file = tmp_path / "course" / "01-guesses.md"
    words = LESSON[LESSON.index("## Fourth") :]
    lab = "\n```lab\nid: own\nkind: stepper\ntask: Take a token (t).\nprompt: A\ngoals:\n"
    lab += "  - {goal: took-rank, rank: 2}\ndone: You did.\n```\n"
    head = LESSON[: LESSON.index("## First")]
    file.write_text(head + words + lab, encoding="utf-8")
    course = load_course(file.parent)
    assert not course.problems
    async with whole_app(tmp_path, course=course).run_test(size=(80, 30)) as pilot:
        await sees(pilot, "› Begin")
        await keys(pilot, "enter")
        await sees(pilot, "Press Tab, then l, to open the lab.")
        assert "l lab" not in shown(pilot.app)
        await keys(pilot, "l")
        assert pilot.app.screen.query_one(PredictionField).value == "l"
        await keys(pilot, "tab")
        await sees(pilot, "Press l to open the lab.")
        await sees(pilot, "l lab")
        await keys(pilot, "l")
        await until(pilot, lambda: isinstance(pilot.app.screen, ExplorerScreen))


QUESTION = """
```question
id: last
type: single
ask: Which one is it?
hint: Think.
why: It is this one.
choices:
  - text: This one
    why: Yes.
    right: true
  - text: That one
    why: No.
```
"""


async def test_letters_choose_while_a_link_is_highlighted(tmp_path: Path) -> None:
    async with choices_below_a_link(tmp_path, QUESTION) as pilot:
        await sees(pilot, "a-b choose")
        await keys(pilot, "tab")
        await sees(pilot, "enter open")
        assert "a-b choose" in shown(pilot.app)
        assert "a questions" not in shown(pilot.app)
        await keys(pilot, "a")
        await sees(pilot, "› a  Alpha")
        await sees(pilot, "enter reveal")  # Enter is for the choice now, and not for the link
        await keys(pilot, "enter")
        await sees(pilot, "You predicted “Alpha”")
        await sees(pilot, "a questions")  # the prediction is made, so its letters are free again
        await keys(pilot, "a")
        await sees(pilot, "Which one is it?")


async def test_a_choice_typed_ahead_with_enter_is_revealed(tmp_path: Path) -> None:
    """Both keys arrive before the app has handled the first one, as over a slow connection."""
    async with choices_below_a_link(tmp_path, QUESTION) as pilot:
        await sees(pilot, "a-b choose")
        await keys(pilot, "tab")
        await sees(pilot, "enter open")
        pilot.app.post_message(Key("a", "a"))
        pilot.app.post_message(Key("enter", "\r"))
        await sees(pilot, "You predicted “Alpha”")


async def test_tab_highlights_the_link_again_after_a_choice(tmp_path: Path) -> None:
    async with choices_below_a_link(tmp_path, QUESTION) as pilot:
        await sees(pilot, "a-b choose")
        await keys(pilot, "tab", "a", "tab")
        assert any(prose.href is not None for prose in pilot.app.screen.query(Prose))


async def test_letters_choose_after_tab_on_a_screen_without_links(
    tmp_path: Path, course: Course
) -> None:
    async with first_screen(tmp_path, course) as pilot:
        await keys(pilot, "right")
        await sees(pilot, "a-b choose")
        await keys(pilot, "tab", "tab")
        assert "a-b choose" in shown(pilot.app)
        await keys(pilot, "b", "enter")
        await sees(pilot, "You predicted “Two”")

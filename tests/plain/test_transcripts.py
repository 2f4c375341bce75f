"""Test whole sessions of plain mode: lines typed on a pipe, and the lines that tutor writes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from tests.lm.architectures.folders import write_folder
from tests.plain.typed import typed
from tests.shipped_course import shipped_course
from tests.tiny_model import CONFIG
from tutor import paths
from tutor.course.goals import OTHER_GOALS
from tutor.course.questions.compare import ComparePrompts
from tutor.course.questions.match import MatchQuestion
from tutor.course.questions.next_token import NextTokenQuestion
from tutor.course.questions.number import NumberQuestion
from tutor.course.questions.order import OrderQuestion
from tutor.course.questions.several import SeveralChoices
from tutor.course.questions.single import SingleChoice
from tutor.course.questions.text import TextQuestion
from tutor.labs.kit import registry
from tutor.learner.progress import Progress
from tutor.learner.records import Answered, GoalReached, LessonRead, LessonState, Predicted
from tutor.lm.load import load_model
from tutor.lm.saved_steering import SavedVector, folder_of_learner, packed, write
from tutor.lm.token_tree import text_of
from tutor.models import find_model
from tutor.models.installed import DEFAULT
from tutor.plain import markdown
from tutor.plain.words import LETTERS
from tutor.sharing.reading import read_file
from tutor.study.quiz_run import begun

if TYPE_CHECKING:
    from tests.plain.session import Machine
    from tutor.course.questions.question import Question

OLD_TEXT = Path(__file__).parents[1] / "sharing" / "data" / "version-1.json"
_DAY = 86_400.0
_SEED = 5


def progress_of(machine: Machine) -> Progress:
    """Return the progress of the learner on the machine, whose folders the environment names."""
    return Progress.open(paths.learner_folder("me", None))


def right(question: Question, *, wrong: bool = False) -> str:
    """Return what to type for a right answer, or for a wrong one to a choice."""
    order = question.display_order(_SEED)
    match question:
        case SingleChoice(choices=choices):
            place = next(at for at, each in enumerate(choices) if each.right != wrong)
            return LETTERS[order.index(place)]
        case SeveralChoices(choices=choices):
            found = [at for at, each in enumerate(choices) if each.right]
            return " ".join(LETTERS[order.index(place)] for place in found)
        case OrderQuestion(items=items):
            return " ".join(LETTERS[order.index(place)] for place in range(len(items)))
        case MatchQuestion(pairs=pairs):
            return " ".join(LETTERS[order.index(place)] for place in range(len(pairs)))
        case NumberQuestion(answer=answer):
            return f"{answer:g}"
        case TextQuestion(accept=accept):
            return accept[0]
        case NextTokenQuestion():
            return "the"
        case ComparePrompts():
            return "a"


def test_the_first_lesson_from_its_first_section_to_its_last_question(machine: Machine) -> None:
    """Read, predict once and skip the rest, answer one question wrong and leave one for later."""
    lesson = shipped_course().lessons[0]
    lines = [""]
    predicted = False
    for screen in lesson.screens[:-1]:
        if screen.prediction is not None:
            lines.append("" if predicted else "b")
            predicted = True
        lines.append("")
    if lesson.screens[-1].prediction is not None:
        lines.append("")
    progress = progress_of(machine)
    run = begun(lesson, _SEED)
    progress.save_lesson(run.saved_in(LessonState(lesson=lesson.id)))
    lines = ["lesson 1", *lines[1:], "questions"]
    asked = [question for question in lesson.questions if not question.asks_model]
    miss = next(each for each in asked if isinstance(each, SingleChoice))
    leave = next(each for each in asked if each is not miss)
    for question in lesson.questions:
        if question is leave:
            lines.append("skip")
        else:
            lines += [right(question, wrong=question is miss), ""]
    said = machine.say(*lines, "quit")
    assert said.status == 0
    count = len(lesson.screens)
    for number, screen in enumerate(lesson.screens, 1):
        assert f"Section {number} of {count}: {screen.title}" in said.text
    number = lesson.questions.index(leave) + 1
    left = f"Question {number} is left for later. You can answer it at the end of the lesson."
    assert left in said.lines
    assert any(line.startswith("Your answer, wrong: ") for line in said.lines)
    assert f"End of lesson 1, {lesson.title}." in said.lines
    assert any("1 wrong, 1 left for later." in line for line in said.lines)
    assert "This lesson is done." not in said.lines
    events = progress_of(machine).events()
    answers = {each.question: each for each in events if isinstance(each, Answered)}
    assert set(answers) == {each.id for each in lesson.questions} - {leave.id}
    assert not answers[miss.id].correct
    assert all(answers[each.id].correct for each in asked if each not in (miss, leave))
    assert sum(isinstance(each, LessonRead) for each in events) == 1
    assert [each.guess for each in events if isinstance(each, Predicted)] == [
        "The answers of A and B"
    ]


@pytest.mark.slow
def test_an_explanation_for_another_model_is_introduced(machine: Machine) -> None:
    first, second, *_others = shipped_course().lessons
    live = next(each for each in first.screens if each.prediction and each.prediction.computed)
    question = next(each for each in second.questions if isinstance(each, NextTokenQuestion))
    progress = progress_of(machine)
    progress.save_lesson(LessonState(lesson=first.id, screen=live.id))
    run = replace(begun(second, _SEED), order=(question.id,))
    progress.save_lesson(run.saved_in(LessonState(lesson=second.id)))
    said = machine.say("lesson 1", "", "back", "lesson 2", "questions", "the", "quit")
    written = f"With {DEFAULT.name}, for which this text was written:"
    assert live.prediction is not None
    reveal = markdown.inline(live.prediction.reveal)
    assert said.lines[said.lines.index(reveal) - 1] == written
    why = said.lines.index(f"Why: {markdown.inline(question.why)}")
    assert said.lines[why - 1].startswith("This was computed by ")
    assert said.lines[why - 1].endswith(written)


def test_the_end_of_a_lesson_says_that_it_is_done(machine: Machine) -> None:
    lesson = shipped_course().lessons[0]
    progress = progress_of(machine)
    seen = tuple(screen.id for screen in lesson.screens)
    progress.save_lesson(LessonState(lesson=lesson.id, screen=seen[-1], seen=seen))
    last = next(each for each in lesson.questions if isinstance(each, TextQuestion))
    for question in lesson.questions:
        if question is not last:
            progress.record(
                Answered(
                    at=progress.clock(),
                    question=question.id,
                    version=question.version,
                    lesson=lesson.id,
                    correct=True,
                )
            )
    progress.save_setting("review.new", 1)
    said = machine.say("lesson 1", "questions", right(last), "", "quit")
    assert f"End of lesson 1, {lesson.title}." in said.lines
    count = len(lesson.questions)
    assert f"{count} questions come back in 2 days. Reviews ask you at" in said.text
    assert "This lesson is done." in said.lines


def test_the_answers_of_two_days_ago_come_back_for_review(machine: Machine) -> None:
    lesson = shipped_course().lessons[0]
    question = next(each for each in lesson.questions if isinstance(each, TextQuestion))
    progress = progress_of(machine)
    progress.record(
        Answered(
            at=progress.clock() - 20 * _DAY,
            question=question.id,
            version=question.version,
            lesson=lesson.id,
            correct=True,
            answer="x",
        )
    )
    said = machine.say("review", "hint", question.accept[0], "", "undo", "back", "progress")
    assert any(line.startswith("1 question is due for review") for line in said.lines)
    assert any(line.startswith("Hint: ") for line in said.lines)
    assert "After a hint, a right answer can lead to an earlier review." in said.lines
    assert any(
        line.startswith("Saved. The next review of this question is ") for line in said.lines
    )
    assert "1 question answered. Nothing else is due." in said.lines
    assert "Your last answer was undone." in said.lines
    given = [each for each in progress_of(machine).events() if isinstance(each, Answered)]
    assert [each.hinted for each in given] == [False, True]


def test_a_hint_counts_less_only_before_a_guess_or_a_retry(machine: Machine) -> None:
    less = "Show a hint. A right answer then counts less."
    said = machine.say("lesson 1", "questions", "help", "quit").text
    assert less in said
    said = machine.say("lesson 1", "questions", "guess", "help", "hint", "quit").text
    assert "After a guess, a right answer can lead to an earlier review." in said
    assert less not in said
    assert "Show a hint." in said
    assert "Hint: " in said
    assert "After a hint, a right answer" not in said


def answered_tokens(machine: Machine, days_ago: float) -> None:
    """Record wrong answers to two questions of the lesson on tokens."""
    lesson = next(each for each in shipped_course().lessons if each.id == "tokens")
    questions = [each for each in lesson.questions if isinstance(each, TextQuestion)]
    assert len(questions) == 2
    progress = progress_of(machine)
    for second, question in enumerate(questions):
        progress.record(
            Answered(
                at=progress.clock() - days_ago * _DAY - 60 + second,
                question=question.id,
                version=question.version,
                lesson=lesson.id,
                correct=False,
            )
        )


@pytest.mark.slow
def test_undo_while_reviewing_ahead_keeps_the_next_question(machine: Machine) -> None:
    answered_tokens(machine, days_ago=0)
    said = machine.say("review", "ahead", "xyz", "", "undo", "xyz", "", "quit")
    assert re.findall(r"Review, (\d) left", said.text) == ["2", "1", "2", "1"]


@pytest.mark.slow
def test_a_question_that_was_skipped_ahead_of_time_does_not_stay_due(machine: Machine) -> None:
    answered_tokens(machine, days_ago=0)
    said = machine.say("review", "ahead", "skip", "skip", "quit")
    assert "Left for later." in said.lines
    assert "stays due" not in said.text


def test_a_review_does_not_forget_that_a_skipped_question_is_due(machine: Machine) -> None:
    answered_tokens(machine, days_ago=20)
    said = machine.say("review", "skip", "xyz", "", "quit")
    assert "Left for later. The question stays due." in said.lines
    assert "1 question left for later." in said.text
    assert "Nothing else is due." not in said.text


def test_a_review_says_what_the_next_review_is_of(machine: Machine) -> None:
    lesson = shipped_course().lessons[0]
    question = next(each for each in lesson.questions if isinstance(each, TextQuestion))
    progress = progress_of(machine)
    progress.record(
        Answered(
            at=progress.clock() - 60,
            question=question.id,
            version=question.version,
            lesson=lesson.id,
            correct=False,
        )
    )
    said = machine.say("review", "ahead", question.accept[0], "undo", "xyz", "", "quit")
    following = "Saved. The next review of this question is tomorrow"
    assert f"{following}. Right answers on later days make the wait longer." in said.lines
    assert f"{following}." in said.lines  # after the wrong answer
    assert any(line.startswith("The next question is due ") for line in said.lines)


@pytest.mark.slow
def test_undo_repeats_the_choices_in_the_same_order(machine: Machine) -> None:
    lesson = shipped_course().lessons[0]
    question = next(each for each in lesson.questions if isinstance(each, SingleChoice))
    progress = progress_of(machine)
    progress.record(
        Answered(
            at=progress.clock() - 20 * _DAY,
            question=question.id,
            version=question.version,
            lesson=lesson.id,
            correct=True,
        )
    )
    said = machine.say("review", *["a", "undo"] * 4, "quit")
    choices = [line for line in said.lines if re.match(r"[a-d]: ", line)]
    count = len(question.choices)
    assert len(choices) == 5 * count
    assert choices == choices[:count] * 5


def test_the_stepper_says_ranks_and_takes_tokens(own_engine: Machine) -> None:
    said = own_engine.say(
        "step", "edit abc", "take 2", "", "undo", "tokens", "set temperature 0", ""
    )
    assert 'The text has 3 tokens: "abc"' in said.lines
    ranks = [line for line in said.lines if line.startswith("Rank 2: ")]
    assert ranks
    assert ranks[0].endswith(" percent.")
    assert any(line.startswith("Took ") and "rank 2, " in line for line in said.lines)
    assert 'Token 1: "a".' in said.lines
    assert sum(line.startswith("Took ") for line in said.lines) == 3


def test_the_x_ray_says_what_a_token_attends_to_and_what_layers_predict(machine: Machine) -> None:
    said = machine.say("step", "edit abc", "xray 2", "heads", "layer 99", "lens", "next", "back")
    assert 'X-ray of token 2 of 3, "b".' in said.lines
    assert 'X-ray of token 3 of 3, "c".' in said.lines
    assert sum(line.startswith("Head ") for line in said.lines) >= 1
    assert any(line.startswith("After layer 1: ") for line in said.lines)


def test_the_xray_explains_a_token_in_sentences(machine: Machine) -> None:
    said = machine.say("step", "edit abc", "xray 2", "why", "than z", "than c", "than", "back")
    logit = next(line for line in said.lines if line.startswith('The logit of "c" is '))
    assert "It is the sum of what" in logit
    heads = [line for line in said.lines if line.startswith("Layer ") and "most of it" in line]
    assert heads
    assert all(re.search(r"head \d+: [+-]\d+\.\d\d, most of it from token [12]", h) for h in heads)
    difference = [line for line in said.lines if 'The logit of "c" minus the logit of "z"' in line]
    assert len(difference) == 1
    amounts = _amounts(said.lines, logit)
    assert len(amounts) == 9  # eight parts, and the sum of all others
    total = float(logit.partition(" is ")[2].split(". ")[0])
    assert sum(amounts) == pytest.approx(total, abs=0.06)
    assert "This is the token that is being explained. Type a different one." in said.lines
    assert "Type than and another token, such as than London." in said.lines


def test_the_stepper_is_steered_with_a_saved_vector(machine: Machine) -> None:
    said = machine.say("step", "steer")
    assert "No vectors are saved for this model. Save one in the steer lab." in said.lines
    vector = SavedVector(
        name="Kind words",
        model=load_model(find_model(machine.model)).card.sha256,
        model_name="tiny",
        layer=1,
        first=("a",),
        second=("b",),
        values=packed([1.0] * CONFIG.width),
    )
    write(folder_of_learner(), vector)
    write(folder_of_learner(), replace(vector, name="other", model="x"))
    said = machine.say(
        *("step", "edit abc", "steer", "steer Kind words -2", "settings"),
        *("steer Kind words 99", "steer off", "steer Kind words 1", "quit"),
    )
    assert "Kind words, added after layer 2." in said.lines
    assert not any("other" in line for line in said.lines)
    assert "Type steer, a name and a strength from -20 to 20, or steer off." in said.lines
    steered = "The network is steered: Kind words, layer 2, -2."
    assert said.lines.count(steered) == 3  # after the key, in the settings, after the wrong number
    first, after, last = (
        [line for line in said.lines[start:] if line.startswith("Rank ")][:5]
        for start in (
            said.lines.index('The text has 3 tokens: "abc"'),
            said.lines.index(steered),
            said.lines.index("The network is not steered."),
        )
    )
    assert first != after
    assert first == last
    assert "The network is steered: Kind words, layer 2, +1." in said.lines
    assert "The network is steered: Kind words, layer 2, +1." in machine.say("step", "quit").lines


def test_a_saved_text_is_opened(machine: Machine) -> None:
    said = machine.say("", "back", "quit", options=["open", str(OLD_TEXT)])
    text = read_file(OLD_TEXT)
    assert any(text_of(text.tree().steps) in line for line in said.lines)
    assert any("tokenized again" in line for line in said.lines)
    assert sum(line.startswith("Took ") for line in said.lines) == 1


def _amounts(lines: list[str], heading: str) -> list[float]:
    """Return the contributions in the lines below `heading`."""
    found = []
    for line in lines[lines.index(heading) + 1 :]:
        amount = re.search(r": ([+-]\d+\.\d\d)", line)
        if amount is None:
            break
        found.append(float(amount[1]))
    return found


def test_a_chat_is_a_message_and_an_answer(machine: Machine) -> None:
    said = machine.say("chat", "help me", "conversation", "quit")
    assert "You: help me" in said.lines
    assert sum(line.startswith("Model: ") for line in said.lines) == 2


def test_a_guess_is_scored_in_bits(machine: Machine) -> None:
    lesson = next(each for each in shipped_course().lessons if each.number == 7)
    kinds = [screen.lab.kind if screen.lab else "" for screen in lesson.screens]
    said = machine.say("lesson 7", f"section {kinds.index('guess') + 1}", "lab", "the")
    assert any(line.startswith("Your surprisal: ") for line in said.lines)
    assert any(line.startswith("After 1 round: ") for line in said.lines)


def test_a_removal_in_a_lab_can_be_undone(machine: Machine) -> None:
    """A change that only another view shows is reported, too."""
    rule = "put-rule 60: * bla * = Bla to you."
    said = machine.say(
        *("lab generations", rule, "drop-rule", "undo", "move row last"),
    )
    added, _, after = said.text.partition("The rule “* bla *” was deleted. Type undo to undo.")
    assert "Bla to you" in added
    assert "Nothing has changed." not in added
    assert "Bla to you" in after
    assert after.count("Nothing has changed.") == 1


def test_labs_reach_goals_that_count(machine: Machine) -> None:
    """Reach a goal in three labs by typing the first actions of their solutions."""
    lines = []
    for name in ("tokens", "train-tokenizer", "landscape"):
        lab = registry.find(name)
        lines += [f"lab {name}", *(typed(lab, each) for each in lab.solution), "goals", "back"]
    said = machine.say(*lines)
    reached = {each.lab for each in progress_of(machine).events() if isinstance(each, GoalReached)}
    names = {"tokens", "train-tokenizer", "landscape"}
    assert names <= reached
    for name in names:
        assert any(f"Goal reached: {goal.says}" in said.text for goal in registry.find(name).goals)


def test_a_lab_of_a_lesson_names_the_goals_that_the_lesson_does_not_ask_for(
    machine: Machine,
) -> None:
    said = machine.say("lesson 3", "section 4", "lab", "quit")
    goals = said.lines[said.lines.index(OTHER_GOALS) - 2 :]
    assert [line.partition(":")[0] for line in goals[:5]] == [
        *("Open goal 1", "Open goal 2", OTHER_GOALS[:-1], "Open goal 3", "Open goal 4")
    ]


def test_a_goal_comes_after_the_lines_that_reached_it(own_engine: Machine) -> None:
    lab = registry.find("tokens")
    said = own_engine.say("lab tokens", *(typed(lab, each) for each in lab.solution))
    first = next(n for n, line in enumerate(said.lines) if line.startswith("Goal reached: "))
    before = said.lines[first - 1]
    assert not before.startswith(("Type ", "Open goal", "Goal reached"))
    assert said.lines[first + 1].startswith(("Type ", "Goal reached", "You have", "All"))


def test_a_number_chooses_that_bot_and_a_reset_can_be_undone(machine: Machine) -> None:
    said = machine.say("lab generations", "view probes", "choose 2", "reset")
    assert "Kind in-domain: you predict bot B." in said.lines
    assert "Type a command, or help. You can now also type undo." in said.lines


def test_the_work_in_a_lab_is_continued(machine: Machine) -> None:
    machine.say("edit something else", options=())
    machine.say("lab tokens", "edit Donaudampfschiff")
    said = machine.say("lab tokens")
    assert 'Text: "Donaudampfschiff"' in said.lines


def test_a_wrong_command_names_the_right_one(machine: Machine) -> None:
    said = machine.say("lesons", "xyz", "lesson 99", "back", "lab nothing")
    assert "There is no command lesons here. Did you mean lessons?" in said.lines
    assert "There is no command xyz here. Type help to list all commands." in said.lines
    assert "Type lesson and the number of a lesson, such as lesson 1." in said.lines
    assert "You cannot go back any further. Type quit to leave tutor." in said.lines
    assert any(line.startswith("There is no lab 'nothing'.") for line in said.lines)


@pytest.mark.slow
def test_the_x_ray_says_which_experts_processed_a_token(machine: Machine, tmp_path: Path) -> None:
    mixture = write_folder(tmp_path / "mixture", "qwen2 with experts")
    said = machine._replace(engine=None, model=str(mixture)).say(
        "step", "edit abc", "xray 2", "experts", "back"
    )
    assert "Each layer has 6 experts. These processed the token:" in said.lines
    layers = [line for line in said.lines if re.match(r"Layer \d: expert ", line)]
    assert len(layers) == 4
    one = r"expert [1-6] with weight [\d.]+ percent"
    shared = r"the shared expert with weight [\d.]+ percent"
    assert all(re.fullmatch(rf"Layer \d: {one}, {one}, {shared}\.", line) for line in layers)
    assert "Show which experts processed the token in each layer." not in said.text
    without = machine.say("step", "edit abc", "xray 2", "experts", "help", "back")
    assert "Layer 1: expert" not in without.text
    assert "Show which experts processed" not in without.text

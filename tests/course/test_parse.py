"""Test the lesson format: valid lessons, and the errors about everything else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.course.lesson_text import FRONT, LAB, SCREEN, SINGLE, SMALL, line_of, parse_lesson
from tutor.course.lesson import Branched, TookRankAtLeast, TopTokenAbove, TopTokenBelow
from tutor.course.questions.number import NumberQuestion
from tutor.course.questions.question import QUESTION_TYPES
from tutor.course.questions.single import SingleChoice
from tutor.course.reading.parse import parse_bytes, read, read_bytes
from tutor.course.reading.place import MAXIMUM_BYTES
from tutor.errors import LessonError


def error_of(text: str) -> LessonError:
    with pytest.raises(LessonError) as caught:
        parse_lesson(text, "07-small.md")
    assert caught.value.happened.startswith(f"07-small.md, line {caught.value.line}: ")
    assert caught.value.next_step
    return caught.value


def test_a_whole_lesson() -> None:
    lesson = parse_lesson(SMALL, "07-small.md")
    assert (lesson.id, lesson.number, lesson.version) == ("small", 7, 2)
    (screen,) = lesson.screens
    assert (screen.id, screen.title) == ("first", "First screen")
    assert screen.body == "Some *text*.\n\nMore text."
    assert screen.lab is not None
    assert screen.lab.goals == (TopTokenAbove(0.9),)
    (question,) = lesson.questions
    assert isinstance(question, SingleChoice)
    assert [choice.text for choice in question.choices] == ["yes", "no"]


def test_a_question_belongs_to_the_screen_that_contains_it() -> None:
    second = "\n## Second {#second}\n\nText.\n"
    named = SINGLE.replace("id: pick", "id: other\nscreen: first")
    lesson = parse_lesson(SMALL + second + named, "x.md")
    assert [question.screen for question in lesson.questions] == ["first", "first"]


def test_a_section_with_only_questions_is_not_a_screen() -> None:
    text = FRONT + SCREEN + "\n## Questions {#questions}\n" + SINGLE
    lesson = parse_lesson(text, "x.md")
    assert [screen.id for screen in lesson.screens] == ["first"]
    assert lesson.questions[0].screen is None


def test_all_goals() -> None:
    goals = """goals:
  - {goal: top-above, probability: 0.9}
  - {goal: top-below, probability: 0.2}
  - {goal: took-rank, rank: 10}
  - {goal: branches, count: 2, tokens: 4}
"""
    head, _ = LAB.split("goals:")
    lab = parse_lesson(FRONT + SCREEN + head + goals + "```\n", "x.md").labs[0]
    assert lab.goals == (
        TopTokenAbove(0.9),
        TopTokenBelow(0.2),
        TookRankAtLeast(10),
        Branched(2, 4),
    )


def test_line_ends_and_byte_order_mark_do_not_matter() -> None:
    plain = parse_lesson(SMALL, "x.md")
    assert parse_bytes(b"\xef\xbb\xbf" + SMALL.encode().replace(b"\n", b"\r\n"), "x.md") == plain


def test_other_code_stays_in_the_text() -> None:
    code = "\n```python\nprint('lab')\n```\n"
    assert "print('lab')" in parse_lesson(FRONT + SCREEN + code, "x.md").screens[0].body


WRONG = [
    # The replaced text, its replacement, words of the message, and the text at the line of
    # the error
    ("hint: Not the other.", "hunt: Not the other.", "hunt", "hunt:"),
    ("hint: Not the other.\n", "", "`hint` is missing", "id: pick"),
    ("    right: true\n", "", "0 choices", "id: pick"),
    ("    why: Not this", "    right: true\n    why: Not this", "2 choices", "id: pick"),
    ("text: no", "text: yes", "appears twice", "id: pick"),
    ("type: single", "type: singel", "singel", "type: singel"),
    ("goal: top-above", "goal: top-over", "top-over", "goal: top-over"),
    ("probability: 0.9", "probability: 1.5", "probability", "probability: 1.5"),
    ("probability: 0.9", "probability: nan", "probability", "probability: nan"),
    ("probability: 0.9", "probability: often", "a number", "probability: often"),
    ("kind: stepper", "kind: steeper", "steeper", "kind: steeper"),
    ("prompt: Once upon a\n", "", "needs a `prompt`", "id: sure"),
    ("id: pick", "id: Pick_1", "lowercase letters", "id: Pick_1"),
    ("id: pick", "id: first", "is already used", "```question"),
    ("id: pick", "id: pick\nscreen: last", "'last'", "```question"),
    ("id: pick", "id: pick\nid: pick2", "twice", "id: pick2"),
    ("ask: Which?", "ask: [Which?", "YAML", "hint:"),
    ("ask: Which?", "ask: !!python/object/apply:os.system [ls]", "tag", "\nask:"),
    ("ask: Which?", "ask: !!binary aGk=", "tag", "\nask:"),
    ("ask: Which?", "ask: &anchor Which?", "anchors", "\nask:"),
    ("ask: Which?", "ask: *alias", "anchors", "\nask:"),
    ("ask: Which?", "ask: " + "[" * 500 + "]" * 500, "deep", "\nask:"),
    ("ask: Which?", 'ask: "\\e[2J"', "U+001B", "\nask:"),
    ("ask: Which?", 'ask: ""', "ask", "\nask:"),
    ("number: 7", "number: seven", "number", "number:"),
    ("number: 7", "number: " + "9" * 5000, "number", "number:"),
    ("summary: Just enough.\n", "", "`summary` is missing", "id: small"),
    ("title: A small lesson", "title: A small lesson\nauthor: me", "author", "author:"),
    ("Texts can be short.", "Texts can be &#x202e;short.", "U+202E", "---"),
    ("## First screen {#first}", "## First screen", "no valid id", "## First"),
    ("## First screen {#first}", "## First {#First Screen}", "no valid id", "## First"),
    ("## First screen {#first}", f"## {'First ' * 20} {{#first}}", "longer than", "## First"),
    ("## First screen {#first}", "# A title\n\n## First {#first}", "not allowed", "# A title"),
    ("## First screen {#first}", "Stray.\n\n## First {#first}", "before the first", "Stray."),
    ("Some *text*.", "Some <b>text</b>.", "HTML", "Some <b>"),
    ("Some *text*.", "Some\ntext and <b>more</b>.", "HTML", "text and"),
    ("Some *text*.", "<script>alert(1)</script>", "HTML", "<script>"),
    ("Some *text*.", "![picture](x.png)", "images", "![picture]"),
    ("Some *text*.", "[there](#nowhere)", "'#nowhere'", "[there]"),
    ("Some *text*.", "Turned &#x202e; around", "U+202E", "Turned"),
    ("hint: Not the other.", "hint: Turned &#x202e; around", "U+202E", "```question"),
    ("why: Not this one.", "why: Turned &#x200f; around", "U+200F", "```question"),
    ("Some *text*.", "An \x1b[31mescape", "U+001B", "An "),
    ("Some *text*.", "A zero \x00", "U+0000", "A zero"),
    ("Some *text*.", "line\n\n" * 40, "too long", "## First"),
    ("\nMore text.\n", LAB.replace("sure", "surer"), "second lab", "```lab\nid: surer"),
    ("\nMore text.\n", "\n> ```lab\n> id: x\n> ```\n", "inside a list", "> ```lab"),
]


@pytest.mark.parametrize(("old", "new", "words", "at"), WRONG)
def test_an_error_has_a_line_and_a_remedy(old: str, new: str, words: str, at: str) -> None:
    assert SMALL.count(old) == 1
    text = SMALL.replace(old, new)
    error = error_of(text)
    assert words in error.problem
    assert error.line == line_of(text, at)


def test_an_unknown_name_gets_a_suggestion() -> None:
    assert "`single`" in error_of(SMALL.replace("type: single", "type: singel")).next_step


def test_duplicate_question_ids() -> None:
    error = error_of(SMALL + SINGLE)
    assert "'pick' is already used" in error.problem
    assert error.line > line_of(SMALL, "```question")


def test_an_empty_screen() -> None:
    assert "is empty" in error_of(SMALL + "\n## Nothing {#nothing}\n").problem


def test_no_front_matter() -> None:
    error = error_of(SCREEN)
    assert error.line == 1
    assert "front matter" in error.problem


@pytest.mark.parametrize("text", ["", FRONT])
def test_an_empty_file(text: str) -> None:
    assert error_of(text).line == 1


def test_not_utf8() -> None:
    data = SMALL.encode().replace(b"Some", b"S\xffme")
    with pytest.raises(LessonError, match="0xff") as caught:
        parse_bytes(data, "x.md")
    assert caught.value.line == line_of(SMALL, "Some")


def test_too_large() -> None:
    with pytest.raises(LessonError, match="bytes"):
        parse_bytes(SMALL.encode() + b"x" * MAXIMUM_BYTES, "x.md")


def test_all_problems_are_found_at_once() -> None:
    text = SMALL.replace("hint:", "hunt:").replace("number: 7", "number: x")
    outcome = read(text, "x.md")
    assert outcome.lesson is None
    assert [problem.line for problem in outcome.problems] == [
        line_of(text, "number: x"),
        line_of(text, "hunt:"),
    ]


def test_numbers_must_be_finite() -> None:
    number = SINGLE[: SINGLE.index("choices:")].replace("single", "number")
    good = parse_lesson(FRONT + SCREEN + number + "answer: 0.5\n```\n", "x.md").questions[0]
    assert good == NumberQuestion(
        id="pick", ask="Which?", hint="Not the other.", why="So it is.", screen="first", answer=0.5
    )
    for bad in ("nan", "inf", "1e999"):
        assert error_of(FRONT + SCREEN + number + f"answer: {bad}\n```\n").problem


def test_an_accepted_text_needs_letters() -> None:
    text = SINGLE[: SINGLE.index("choices:")].replace("single", "text")
    assert "no letter" in error_of(FRONT + SCREEN + text + "accept: ['...']\n```\n").problem


@pytest.mark.parametrize(
    "hostile",
    [
        "[" * 10_000,
        "> " * 20_000,
        "- " * 20_000,
        "## x" + " " * 50_000 + "{#",
        "```question\n" + "a: [" * 10_000 + "\n```",
        "```question\n" + "- " * 10_000 + "\n```",
        "```question\n? " + "? " * 10_000 + "\n```",
        "```question\n{a: {b: c}: d}\n```",
        "```question\n[a]: b\n```",
        "```question\n--- a\n--- b\n```",
        "```question\n%YAML 9.9\n---\na\n```",
        "```lab\n" + "x" * 60_000 + "\n```",
        "```lab\n" + "x" * 60_000 + ": 1\n```",
        "```lab\n`a - at `$.b`: 1\n```",
        "```lab\nid: [a]\nkind: stepper\ntask: {a: b}\n```",
        "[x]: " + "<" * 20_000,
    ],
    ids=lambda hostile: repr(hostile[:24]),
)
def test_hostile_text_is_only_an_error(hostile: str) -> None:
    outcome = read(FRONT + SCREEN + hostile + "\n", "x.md")
    assert all(len(str(problem)) < 2000 for problem in outcome.problems)
    if "```" in hostile or "## x" in hostile:
        assert outcome.problems


@pytest.mark.parametrize(
    "nested",
    ["> " * 1000 + "a", "- " * 1000 + "a", "1. " * 1000 + "a", "*a _b " * 1000 + "_ *" * 1000],
    ids=["quotations", "lists", "numbers", "emphasis"],
)
def test_nested_a_thousand_deep(nested: str) -> None:
    text = SMALL.replace("Some *text*.", nested)
    error = error_of(text)
    assert "nested" in error.problem
    assert error.line == line_of(text, nested[:9])


def test_five_megabytes() -> None:
    (problem,) = read_bytes(SMALL.encode() + b"a *b* [c](d)\n" * 400_000, "x.md").problems
    assert "bytes" in problem.problem


_ALPHABET = st.sampled_from(
    [
        *"abi{}[]#*_`<>&:;-!|?%@'\" \n\t\\~é漢𝄞\x1b\u202e",
        *("\n```lab\n", "\n```question\n", "\n```\n", "\n---\n", "\n## T {#t}\n"),
        *("id: a", "type: single", "kind: chat", "goals:"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_problems_and_nothing_else(data: bytes) -> None:
    outcome = read_bytes(data, "x.md")
    assert outcome.lesson is None
    assert outcome.problems


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300) | st.lists(_ALPHABET, max_size=60).map("".join))
def test_any_text_inside_a_lesson_gives_a_lesson_or_problems(text: str) -> None:
    outcome = read(FRONT + SCREEN + text, "x.md")
    assert (outcome.lesson is None) == bool(outcome.problems)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["lab", "question"]), st.lists(_ALPHABET, max_size=40).map("".join))
def test_any_text_inside_a_block(kind: str, text: str) -> None:
    outcome = read(f"{FRONT}{SCREEN}\n```{kind}\n{text}\n```\n", "x.md")
    assert (outcome.lesson is None) == bool(outcome.problems)


@given(st.integers(0, len(SMALL)), st.integers(0, 40))
@settings(max_examples=150, deadline=None)
def test_a_lesson_with_a_missing_part(start: int, length: int) -> None:
    outcome = read(SMALL[:start] + SMALL[start + length :], "x.md")
    assert (outcome.lesson is None) == bool(outcome.problems)


def test_every_type_has_a_unique_name() -> None:
    assert len({kind.__struct_config__.tag for kind in QUESTION_TYPES}) == 8

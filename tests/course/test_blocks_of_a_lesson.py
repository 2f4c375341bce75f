"""Test blocks with code, facts and quoted numbers in a lesson, links, and prerequisites."""

from __future__ import annotations

import ast
import inspect
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.course.lesson_text import FRONT, LAB, SCREEN, SMALL, line_of, parse_lesson
from tutor.course.facts import Fact, read_facts
from tutor.course.glossary import read_glossary
from tutor.course.lesson import Action
from tutor.course.links import Link
from tutor.course.model_value import Quoted, Sampler
from tutor.course.outline import NEEDS
from tutor.course.questions import shuffle
from tutor.course.reading.include import PACKAGE, code_block
from tutor.course.reading.markup import markdown
from tutor.course.reading.parse import measured_name, number_name, read
from tutor.course.reading.place import Place
from tutor.errors import LessonError

FACTS = (
    Fact("a", "Alpha", "Window", "1M, small 200k", "2026-02", "https://a"),
    Fact("b", "Beta", "Window", "a | b *c* <d> `e`", "2026-05", "https://b"),
    Fact("c", "Alpha", "Price", "2 / 10", "2026-02", "https://a"),
)


def body(block: str, facts: tuple[Fact, ...] = FACTS) -> str:
    return parse_lesson(FRONT + SCREEN + block, "x.md", facts).screens[0].body


def problem(text: str, facts: tuple[Fact, ...] = FACTS) -> LessonError:
    (found,) = read(text, "x.md", facts).problems
    assert found.next_step
    return found


def test_needs_and_source() -> None:
    text = SMALL.replace("summary:", "needs: [tokens, one-question]\nsource: [Deep]\nsummary:")
    outcome = read(text, "x.md")
    assert outcome.lesson is not None
    assert outcome.lesson.needs == ("tokens", "one-question")
    assert outcome.lesson.source == ("Deep",)
    assert outcome.lines[NEEDS] == line_of(text, "needs:")


def test_learned_is_optional() -> None:
    assert parse_lesson(SMALL, "x.md").learned == ("Texts can be short.", "Lessons can be, too.")
    without = SMALL.replace("learned:\n  - Texts can be short.\n  - Lessons can be, too.\n", "")
    assert parse_lesson(without, "x.md").learned == ()


# --- code -----------------------------------------------------------------------------------------


def included(reference: str, package: Path = PACKAGE) -> list[str]:
    return code_block(f"{reference}\n", Place("x.md", 5), package)


def test_a_function_without_its_docstring() -> None:
    first, *code, last = included("tutor/course/questions/shuffle.py#out_of_order")
    assert (first, last) == ("```python", "```")
    shown = ast.unparse(ast.parse("\n".join(code)))
    written = ast.parse(inspect.getsource(shuffle.out_of_order))
    function = written.body[0]
    assert isinstance(function, ast.FunctionDef)
    assert '"""' not in "\n".join(code)
    del function.body[0]
    assert shown == ast.unparse(written)


def test_a_method_is_dedented() -> None:
    code = included("tutor/course/reading/place.py#Place.below")
    assert code[1] == "def below(self, lines: int) -> Place:"
    assert code[2:] == ["    return Place(self.file, self.line + lines)", "```"]


def test_a_class_with_nothing_but_a_docstring_keeps_it() -> None:
    assert '"""' in "".join(included("tutor/course/lesson.py#GoalBase"))


def test_code_replaces_its_block() -> None:
    block = "```include\ntutor/course/reading/place.py#Place.below\n```\n"
    shown = body(f"Before.\n\n{block}\nAfter.\n")
    assert shown.index("Before") < shown.index("```python\ndef below") < shown.index("After")
    assert "include" not in shown


@pytest.mark.parametrize(
    "reference",
    [
        "/etc/passwd#a",
        "tutor/../../etc/passwd.py#a",
        "tutor/../tests/conftest.py#own_folders",
        "tests/conftest.py#own_folders",
        "tutor\\text.py#safe",
        "tutor/text.py",
        "tutor/text.py#",
        "tutor/text.py#safe extra",
        "tutor/text.py#safe\ntutor/text.py#visible",
        "tutor/nothing.py#a",
        "tutor/text.py#nothing",
        "tutor/text.py#safe.text",
        "tutor/text.py#_NEWLINE",
        "tutor/course/reading/parse.py#_Reader",  # too long
        "",
    ],
)
def test_nothing_else_can_be_included(reference: str) -> None:
    with pytest.raises(LessonError) as caught:
        code_block(reference, Place("x.md", 5))
    assert caught.value.line == 5
    assert caught.value.next_step


def test_a_link_out_of_the_package_is_not_followed(tmp_path: Path) -> None:
    outside, package = tmp_path / "secret.py", tmp_path / "tutor"
    outside.write_text("def secret(): pass\n")
    package.mkdir()
    (package / "inside.py").symlink_to(outside)
    with pytest.raises(LessonError, match="no file"):
        included("tutor/inside.py#secret", package)


# --- facts ----------------------------------------------------------------------------------------


def test_a_table_of_facts() -> None:
    shown = body("```facts\ntopics: [Window, Price]\nproducts: [Beta, Alpha]\n```\n")
    rows = [line for line in shown.split("\n") if line.startswith("|")]
    assert rows[0] == "|  | Beta | Alpha |"
    assert rows[2].endswith("| 1M, small 200k |")
    assert rows[3] == "| Price | – | 2 / 10 |"
    assert shown.endswith("As of 2026-02 to 2026-05; sources in facts.yaml.")
    cells = [token.content for token in markdown().parse(shown) if token.type == "inline"]
    assert len(cells) == 11
    inner = next(token for token in markdown().parse(shown) if "small" in token.content)
    assert [child.type for child in inner.children or ()] == ["text"]


def test_markup_in_a_fact_is_text() -> None:
    shown = body("```facts\ntopics: [Window]\nproducts: [Beta]\n```\n")
    cell = [token for token in markdown().parse(shown) if token.type == "inline"][-2]
    assert {child.type for child in cell.children or ()} == {"text"}
    assert "".join(child.content for child in cell.children or ()) == "a | b *c* <d> `e`"


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("topics: [Size]\nproducts: [Alpha]", "no topic 'Size'"),
        ("topics: [Window]\nproducts: [Gamma]", "no product 'Gamma'"),
        ("topics: [Price]\nproducts: [Beta]", "no fact about the topic 'Price'"),
        ("topics: []\nproducts: [Beta]", "topics"),
        ("topics: [Price]", "`products` is missing"),
    ],
)
def test_missing_facts(block: str, words: str) -> None:
    text = f"{FRONT}{SCREEN}\n```facts\n{block}\n```\n"
    found = problem(text)
    assert words in found.problem
    assert line_of(text, "```facts") <= found.line <= line_of(text, "```facts") + 2


FACT = """- id: one
  product: Alpha
  topic: Window
  value: 1M
  as_of: 2026-02
  source: https://a
"""


def test_a_file_of_facts() -> None:
    assert read_facts(FACT, "facts.yaml")[0].value == "1M"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (FACT.replace("2026-02", "2026-13"), 5),
        (FACT.replace("2026-02", "soon"), 5),
        (FACT + FACT, 7),
        (FACT + FACT.replace("id: one", "id: two"), 7),
        (FACT.replace("1M", '"\\e[2J"'), 4),
        (FACT.replace("  source: https://a\n", ""), 1),
        ("id: one\n", 1),
        ("", 1),
    ],
)
def test_problems_with_facts_have_a_line(text: str, line: int) -> None:
    with pytest.raises(LessonError) as caught:
        read_facts(text, "facts.yaml")
    assert (caught.value.file, caught.value.line) == ("facts.yaml", line)


# --- numbers, goals, solutions --------------------------------------------------------------------

NUMBERS = """
```numbers
- says: 77.3 %
  prompt: The capital of France is
  token: ␣Paris
  value: probability
- says: "5 tokens"
  prompt: a b
  value: kept
  top-p: 0.9
```
"""


def test_numbers_are_not_shown_and_can_be_computed() -> None:
    text = FRONT + SCREEN + NUMBERS
    outcome = read(text, "x.md")
    assert outcome.lesson is not None
    screen = outcome.lesson.screens[0]
    assert screen.body == "Some *text*."
    assert screen.numbers == (
        Quoted(
            says="77.3 %",
            prompt="The capital of France is",
            token="␣Paris",
            value="probability",
        ),
        Quoted(says="5 tokens", prompt="a b", value="kept", top_p=0.9),
    )
    assert outcome.lines[number_name("first", 1)] == line_of(text, '- says: "5')


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("value: kept", "value: keept", "`kept`"),
        ("value: kept", "value: rank", "needs a `token`"),
        ("token: ␣Paris\n  value: probability", "token: ␣Paris\n  value: entropy", "does not use"),
        ("top-p: 0.9", "top-p: 2", "top-p"),
        ("top-p: 0.9", "system: Be kind.", "`chat: true`"),
        ("prompt: a b", "", "`prompt` is missing"),
    ],
)
def test_numbers_that_cannot_be_computed(old: str, new: str, words: str) -> None:
    found = problem(FRONT + SCREEN + NUMBERS.replace(old, new))
    assert words in found.problem + found.next_step


def test_only_one_block_of_numbers_per_screen() -> None:
    assert "second block" in problem(FRONT + SCREEN + NUMBERS + NUMBERS).problem


def test_a_solution() -> None:
    steps = """solution:
  - take: ␣time
  - write: 5
  - fork: true
  - prompt: "no: it"
  - sampler: {temperature: 0.3, top-k: 5}
"""
    text = FRONT + SCREEN + LAB.replace("goals:", steps + "goals:")
    assert parse_lesson(text, "x.md").labs[0].solution == (
        Action(take="␣time"),
        Action(write=5),
        Action(fork=True),
        Action(prompt="no: it"),
        Action(sampler=Sampler(temperature=0.3, top_k=5)),
    )


@pytest.mark.parametrize("step", ["{take: a, write: 2}", "{}", "{leap: 2}", "{write: 1000}", "a"])
def test_invalid_steps(step: str) -> None:
    text = FRONT + SCREEN + LAB.replace("goals:", f"solution:\n  - {step}\ngoals:")
    assert problem(text).line == line_of(text, f"- {step}")


# --- links and the glossary -----------------------------------------------------------------------


def test_links_to_other_files_have_their_lines() -> None:
    text = SMALL.replace(
        "Some *text*.",
        "Some\n[logit](glossary.md#logit) and [it](05-a.md#b), [all](05-a.md),"
        " [here](#first), [web](https://example.org/a#b).",
    )
    line = line_of(text, "[logit]")
    assert read(text, "x.md").links == (
        Link("glossary.md", "logit", line),
        Link("05-a.md", "b", line),
        Link("05-a.md", "", line),
    )


@pytest.mark.parametrize(
    "href",
    ["../secret.md#a", "/etc/passwd", "a/b.md#c", "ftp://a", "mailto:a@b", "x.html", "05-a.md#A B"],
)
def test_other_kinds_of_links_are_refused(href: str) -> None:
    text = SMALL.replace("Some *text*.", f"Some [link](<{href}>).")
    found = problem(text)
    assert found.line == line_of(text, "[link]")
    assert "is not valid" in found.problem


def test_markup_in_a_question_is_checked_too() -> None:
    for hostile in ("a <b>c", "![a](b.png)", "[a](#nowhere)", "[a](file.txt)"):
        text = SMALL.replace("ask: Which?", f'ask: "{hostile}"')
        assert problem(text).line == line_of(text, "```question")


GLOSSARY = """# Glossary

Words.

## Zeta {#zeta}

Last, see [alpha](#alpha) or [it](03-a.md#b).

## Alpha (a) {#alpha}

First.
"""


def test_a_glossary() -> None:
    read = read_glossary(GLOSSARY, "glossary.md")
    assert [(term.id, term.term) for term in read.terms] == [
        ("alpha", "Alpha (a)"),
        ("zeta", "Zeta"),
    ]
    assert read.terms[0].text == "First."
    assert read.links == (Link("03-a.md", "b", 7),)
    assert read.problems == ()


@pytest.mark.parametrize(
    ("old", "new", "words", "line"),
    [
        ("{#zeta}", "", "no valid id", 5),
        ("{#zeta}", "{#alpha}", "is already used", 9),
        ("First.", "", "0 characters", 9),
        ("First.", "word " * 200, "1 to 600", 9),
        ("First.", "<b>", "HTML", 11),
        ("First.", "a \x1b[2J", "U+001B", 11),
        ("(#alpha)", "(#alfa)", "lead to a term", 7),
        ("(#alpha)", "(../a)", "is not valid", 7),
    ],
)
def test_problems_with_a_glossary_have_a_line(old: str, new: str, words: str, line: int) -> None:
    problems = read_glossary(GLOSSARY.replace(old, new), "glossary.md").problems
    assert any(words in found.problem and found.line == line for found in problems)


def test_facts_not_from_the_vendor_are_marked() -> None:
    facts = (*FACTS, Fact("d", "Gamma", "Price", "1 / 5", "2026-03", "https://d", second_hand=True))
    shown = body("```facts\ntopics: [Price]\nproducts: [Alpha, Gamma]\n```", facts)
    assert "| Price | 2 / 10 | 1 / 5\\* |" in shown
    assert "\\* not reported by the vendor" in shown
    assert "not reported by the vendor" not in body(
        "```facts\ntopics: [Price]\nproducts: [Alpha]\n```", facts
    )
    (read_back,) = read_facts(
        "- id: e\n  product: P\n  topic: T\n  value: v\n  as_of: 2026-01\n  source: s\n"
        "  second-hand: true\n",
        "facts.yaml",
    )
    assert read_back.second_hand


# --- measured -------------------------------------------------------------------------------------

CASES = """
```measured
of: cases
cases: {France: Paris, Ghana: [Accra, Akkra]}
numbers:
  - {says: "2 of them", prompt: "The capital of {} is", value: right}
```
"""


def test_figures_over_many_prompts() -> None:
    lesson = parse_lesson(f"{FRONT}{SCREEN}\nIt has 2 of them.\n{CASES}{CASES}", "x.md")
    screen = lesson.screens[0]
    assert "measured" not in screen.body
    assert [block.numbers[0].says for block in screen.measured] == ["2 of them"] * 2
    lines = read(f"{FRONT}{SCREEN}\nIt.\n{CASES}", "x.md").lines
    assert lines[measured_name(screen.id, 0)] == line_of(
        f"{FRONT}{SCREEN}\nIt.\n{CASES}", "```measured"
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("{} is", "it is"), "once"),
        (("{} is", "{} {} is"), "exactly once"),
        (("of: cases", "of: casess"), "Choose one of cases, bm25, record"),
        (("value: right", "value: wright"), "`right`"),
        (("numbers:", "among: [␣Paris]\nnumbers:"), "not in `among`"),
        (("value: right", "values: right"), "'values'"),
    ],
)
def test_problems_with_measured_numbers(wrong: tuple[str, str], said: str) -> None:
    found = problem(f"{FRONT}{SCREEN}\nIt.\n{CASES.replace(*wrong)}")
    assert said in f"{found.problem} {found.next_step}"


@pytest.mark.parametrize("file", ["/etc/x.json", "assets/../x.json", "tutor/x.json", "assets/x.py"])
def test_a_record_must_be_in_the_assets(file: str) -> None:
    problem(
        f"{FRONT}{SCREEN}\nIt.\n\n```measured\nof: record\nfile: {file}\n"
        "numbers: [{says: 1, at: a}]\n```\n"
    )


@pytest.mark.parametrize("fields", ["value: bits, token: ␣a", "value: base", "value: bits, x: 1"])
def test_a_number_about_tuning_needs_a_token_only_for_a_probability(fields: str) -> None:
    problem(
        f"{FRONT}{SCREEN}\nIt.\n\n```measured\nof: tuning\n"
        f"numbers: [{{says: 1, question: Who?, {fields}}}]\n```\n"
    )


@pytest.mark.parametrize("strength", ["0.1", "100", "-20.25"])
def test_the_strength_of_a_steering_vector_is_one_of_the_lab(strength: str) -> None:
    found = problem(
        f"{FRONT}{SCREEN}\nIt.\n\n```measured\nof: steering\npair: praise/blame\nblock: 1\n"
        f"numbers: [{{says: 1, strength: {strength}, value: first}}]\n```\n"
    )
    assert "multiple of 0.25" in found.problem


def test_a_missing_passage_has_no_score() -> None:
    text = (
        f"{FRONT}{SCREEN}\nIt.\n\n```measured\nof: bm25\npassages: [A cat.]\n"
        "numbers: [{says: 0.1, question: cat, passage: 2}]\n```\n"
    )
    assert "must be from 1" in problem(text).problem


# --- the start of a lab -----------------------------------------------------------------------


def test_a_lab_may_set_the_sampler() -> None:
    block = "```lab\nid: l\nkind: stepper\ntask: T.\nprompt: A\n"
    plain = parse_lesson(f"{FRONT}{SCREEN}{block}```\n", "x.md").labs[0]
    assert plain.sampler.settings.plain
    text = f"{FRONT}{SCREEN}{block}sampler: {{temperature: 0}}\n```\n"
    assert parse_lesson(text, "x.md").labs[0].sampler.settings.greedy
    assert "cannot have a `sampler`" in problem(text.replace("stepper", "guess")).problem


# --- arbitrary text ------------------------------------------------------------------------------

_PIECES = st.lists(
    st.sampled_from(
        [
            *"abi{}[]#*_`<>&:;-!|?%@'\" \n\t\\~é漢\x1b\u202e0129.",
            *(
                "says: a",
                "of: cases",
                "cases: ",
                "numbers:",
                "value: kept",
                "- ",
                "\n  ",
                "prompt: x",
                "topics: [Window]",
            ),
            *("tutor/text.py", "#safe", "../", "## T {#t}\n", "\n```\n", "[a](glossary.md#b)"),
        ]
    ),
    max_size=40,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["numbers", "measured", "include", "facts"]), _PIECES)
def test_any_text_inside_a_block(kind: str, text: str) -> None:
    outcome = read(f"{FRONT}{SCREEN}\n```{kind}\n{text}\n```\n", "x.md", FACTS)
    assert (outcome.lesson is None) == bool(outcome.problems)


@settings(max_examples=100, deadline=None)
@given(_PIECES | st.text(max_size=200))
def test_any_glossary(text: str) -> None:
    read = read_glossary(text, "glossary.md")
    assert all(
        1 <= found.line <= text.count("\n") + 2 + text.count("\r") for found in read.problems
    )
    assert len({term.id for term in read.terms}) == len(read.terms)


@settings(max_examples=100, deadline=None)
@given(_PIECES | st.text(max_size=200))
def test_any_facts(text: str) -> None:
    with suppress(LessonError):
        assert all(fact.id for fact in read_facts(text, "facts.yaml"))

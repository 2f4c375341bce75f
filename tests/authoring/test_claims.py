"""What a lesson says about the model is confirmed, or told with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from course.lesson_text import FRONT, SCREEN, line_of

from tutor.authoring.ask import Ask
from tutor.authoring.claims import check
from tutor.authoring.kept_answers import KeptAnswers
from tutor.course.lint import Finding, look_over
from tutor.lm.distribution import PLAIN
from tutor.lm.session import Session
from tutor.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tutor.lm.load import LanguageModel

    Told = Callable[[str], list[Finding]]

PROMPT = "Once upon a"


@pytest.fixture
def first(small_model: LanguageModel) -> tuple[str, float]:
    """What the small model puts first after the prompt, and its share."""
    session = Session(small_model, small_model.tokenizer.encode(PROMPT))
    row = session.distribution(len(session), PLAIN, seed=0, top=1).rows[0]
    return visible(row.token.data), row.probability


@pytest.fixture
def told(tmp_path: Path, small_model: LanguageModel) -> Told:
    def told(text: str) -> list[Finding]:
        file = tmp_path / "07-small.md"
        file.write_text(text, encoding="utf-8")
        report = look_over([file])
        assert [each for each in report.findings if each.level == "error"] == []
        ask = Ask(KeptAnswers(small_model.card.sha256, tmp_path / "lint.json"), lambda: small_model)
        return check(report.lessons, ask)

    return told


def numbers(says: str, value: str, **fields: str) -> str:
    more = "".join(f"  {name}: {field}\n" for name, field in fields.items())
    return (
        f"{FRONT}{SCREEN}\nIt has {says}.\n\n```numbers\n- says: {says!r}\n  prompt: {PROMPT}\n"
        f"  value: {value}\n{more}```\n"
    )


def test_a_number_is_computed_again(told: Told, first: tuple[str, float]) -> None:
    token, share = first
    assert told(numbers(f"{100 * share:.1f} %", "probability", token=token)) == []
    wrong = numbers(f"{100 * share + 0.2:.1f} %", "probability", token=token)
    (finding,) = told(wrong)
    assert finding.level == "error"
    assert f"{100 * share:.2f} %" in finding.message
    assert finding.line == line_of(wrong, "- says:")
    assert told(numbers("rank 1", "rank", token=token)) == []
    assert len(told(numbers("rank 2", "rank", token=token))) == 1


@pytest.mark.parametrize(("value", "said"), [("tokens", "3 tokens"), ("kept", "5 of them")])
def test_what_is_not_about_a_token(
    told: Told, value: str, said: str, small_model: LanguageModel
) -> None:
    count = len(small_model.tokenizer.encode(PROMPT))
    said = said if value == "kept" else f"{count} tokens"
    assert told(numbers(said, value, **{"top-k": "5"})) == []
    assert len(told(numbers("77 of them", value, **{"top-k": "5"}))) == 1


def test_what_greedy_decoding_writes(told: Told, first: tuple[str, float]) -> None:
    assert told(numbers(first[0].replace("␣", ""), "greedy")) == []
    (finding,) = told(numbers("zzz", "greedy"))
    assert "where the model writes" in finding.message


def test_a_token_that_is_several_is_told(told: Told) -> None:
    (finding,) = told(numbers("1 %", "probability", token="xqzw vkj"))
    assert "is not one token" in finding.message


def lab(goal: str, solution: str) -> str:
    return (
        f"{FRONT}{SCREEN}\n```lab\nid: sure\nkind: stepper\ntask: Do it.\nprompt: {PROMPT}\n"
        f"goals:\n  - {goal}\nsolution:\n  - {solution}\n```\n"
    )


def test_a_lab_is_done_as_its_solution_says(told: Told, first: tuple[str, float]) -> None:
    word = first[0].removeprefix("␣")
    assert told(lab(f"{{goal: text-has, text: {word}}}", "greedy: 1")) == []
    assert told(lab("{goal: branches, count: 2}", "fork: true")) != []
    assert told(lab("{goal: kept-at-most, count: 3}", "sampler: {top-k: 3}")) == []
    assert told(lab("{goal: prompt-changed}", "prompt: Twice upon a")) == []
    assert told(lab("{goal: took-rank, rank: 2}", "greedy: 1")) != []


def test_a_solution_that_does_not_reach_its_goal(told: Told) -> None:
    text = lab("{goal: text-has, text: zzz}", "greedy: 2")
    (finding,) = told(text)
    assert "does not reach" in finding.message
    assert finding.line == line_of(text, "```lab")


def test_a_goal_that_holds_at_the_start(told: Told) -> None:
    (finding,) = told(lab("{goal: top-above, probability: 0.0}", "greedy: 1"))
    assert "before anything is done" in finding.message


def test_a_lab_that_cannot_be_done_as_written(told: Told) -> None:
    (finding,) = told(lab("{goal: reached-end}", "take: xqzw vkj"))
    assert "at step 1" in finding.message


def question(kind: str, fields: str) -> str:
    return (
        f"{FRONT}{SCREEN}\n```question\nid: q\ntype: {kind}\nask: Which?\nhint: Think.\n"
        f"why: So.\n{fields}```\n"
    )


def test_prompts_that_are_close_are_told(told: Told, first: tuple[str, float]) -> None:
    close = f'prompts: ["{PROMPT}", "So: {PROMPT}"]\nvalue: entropy\n'
    (finding,) = told(question("compare", close))
    assert finding.level == "warning"
    assert "are close" in finding.message
    clear = f'prompts: ["{PROMPT}", "The dog and the"]\ntoken: "{first[0]}"\n'
    assert told(question("compare", clear)) == []


def test_the_model_is_asked_once(tmp_path: Path, small_model: LanguageModel) -> None:
    file = tmp_path / "07-small.md"
    file.write_text(numbers("rank 1", "rank", token="a"), encoding="utf-8")
    report = look_over([file])

    def never() -> LanguageModel:
        raise AssertionError("the model was loaded again")

    memory = KeptAnswers("model", tmp_path / "lint.json")
    before = check(report.lessons, Ask(memory, lambda: small_model))
    memory.save()
    assert check(report.lessons, Ask(KeptAnswers("model", tmp_path / "lint.json"), never)) == before
    other = Ask(KeptAnswers("another model", tmp_path / "lint.json"), never)
    with pytest.raises(AssertionError, match="again"):
        check(report.lessons, other)

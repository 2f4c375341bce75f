"""Test that claims of a lesson about the model are confirmed or reported with their line."""

from __future__ import annotations

import inspect
import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.course.lesson_text import FRONT, SCREEN, line_of
from tutor.authoring.ask import Ask
from tutor.authoring.attempt import Solved
from tutor.authoring.claims import CLEAR_EDGE, check
from tutor.authoring.kept_answers import PACKAGE, USED_CODE, KeptAnswers
from tutor.authoring.lint import Finding, look_over
from tutor.bots.intents import IntentTraining
from tutor.course.lesson import Lab, LiveGoal
from tutor.labs.steer.pairs import pairs
from tutor.lm.distribution import PLAIN
from tutor.lm.session import Session
from tutor.retrieval.chunks import chunks
from tutor.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from tutor.lm.language_model import LanguageModel

    Told = Callable[[str], list[Finding]]

PROMPT = "Once upon a"


@pytest.fixture
def first(small_model: LanguageModel) -> tuple[str, float]:
    """The most probable token of the small model after the prompt, and its probability."""
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
def test_a_value_that_is_not_about_a_token(
    told: Told, value: str, said: str, small_model: LanguageModel
) -> None:
    count = len(small_model.tokenizer.encode(PROMPT))
    said = said if value == "kept" else f"{count} tokens"
    assert told(numbers(said, value, **{"top-k": "5"})) == []
    assert len(told(numbers("77 of them", value, **{"top-k": "5"}))) == 1


def test_a_quote_of_greedy_decoding(told: Told, first: tuple[str, float]) -> None:
    assert told(numbers(first[0].replace("␣", ""), "greedy")) == []
    (finding,) = told(numbers("zzz", "greedy"))
    assert "but the model writes" in finding.message


def prediction(fields: str) -> str:
    return f"{FRONT}{SCREEN}\n```predict\nid: guess\nask: How?\nreveal: So.\n{fields}\n```\n"


def test_the_answer_to_a_prediction_is_in_its_range(told: Told, first: tuple[str, float]) -> None:
    token, share = first
    live = f"live: {{value: probability, prompt: {PROMPT}, token: {token}}}"
    low, high = math.floor(100 * share), math.floor(100 * share) + 1
    assert told(prediction(f"type: number\nunit: '%'\nlow: {low}\nhigh: {high}\n{live}")) == []
    wrong = prediction(f"type: number\nunit: '%'\nlow: {high}\nhigh: 101\n{live}")
    (finding,) = told(wrong)
    assert "not between `low` and `high`" in finding.message
    assert finding.line == line_of(wrong, "```predict")
    several = live.replace(token, "xqzw vkj")
    (finding,) = told(prediction(f"type: number\nlow: 0\nhigh: 1\n{several}"))
    assert "tokens instead of one" in finding.message


def test_the_answer_to_a_token_prediction_is_clear(told: Told, small_model: LanguageModel) -> None:
    session = Session(small_model, small_model.tokenizer.encode(PROMPT))
    rows = session.distribution(len(session), PLAIN, seed=0, top=2).rows
    clear = rows[0].probability >= CLEAR_EDGE * rows[1].probability
    findings = told(prediction(f"type: token\nprompt: {PROMPT}"))
    assert [finding.level for finding in findings] == ([] if clear else ["warning"])


def test_a_text_of_several_tokens_is_reported(told: Told) -> None:
    (finding,) = told(numbers("1 %", "probability", token="xqzw vkj"))
    assert "tokens instead of one" in finding.message


def lab(goal: str, solution: str) -> str:
    return (
        f"{FRONT}{SCREEN}\n```lab\nid: sure\nkind: stepper\ntask: Do it.\nprompt: {PROMPT}\n"
        f"goals:\n  - {goal}\nsolution:\n  - {solution}\n```\n"
    )


def test_a_lab_is_done_by_its_solution(told: Told, first: tuple[str, float]) -> None:
    word = first[0].removeprefix("␣")
    assert told(lab(f"{{goal: text-has, text: {word}}}", "greedy: 1")) == []
    assert told(lab("{goal: branches, count: 2}", "fork: true")) != []
    assert told(lab("{goal: kept-at-most, count: 3}", "sampler: {top-k: 3}")) == []
    assert told(lab("{goal: prompt-changed}", "prompt: Twice upon a")) == []
    assert told(lab("{goal: took-rank, rank: 2}", "greedy: 1")) != []


def test_an_embedded_lab_is_done_by_its_own_solution(told: Told) -> None:
    block = (
        "\n```lab\nid: pieces\nkind: live\nlive: tokens\ntask: Write something.\n"
        "goals:\n  - goal: live\n    name: more-than-characters\n```\n"
    )
    assert told(f"{FRONT}{SCREEN}{block}") == []


def test_a_lab_on_two_screens_is_done_once(tmp_path: Path, small_model: LanguageModel) -> None:
    done: list[str] = []

    def solved(name: str, _: LanguageModel) -> Solved:
        done.append(name)
        return Solved(reached=("long-token",))

    ask = Ask(KeptAnswers("", tmp_path / "lint.json"), lambda: small_model, solved)
    embedded = [
        Lab(id=name, kind="live", live="tokens", task="Write.", goals=(LiveGoal(name),))
        for name in ("five-token-word", "long-token")
    ]
    assert [ask.lab(each).reached for each in embedded] == [(), (0,)]
    assert done == ["tokens"]


def test_a_solution_that_does_not_reach_its_goal(told: Told) -> None:
    text = lab("{goal: text-has, text: zzz}", "greedy: 2")
    (finding,) = told(text)
    assert "does not reach" in finding.message
    assert finding.line == line_of(text, "```lab")


def test_a_goal_that_is_reached_at_the_start(told: Told) -> None:
    (finding,) = told(lab("{goal: top-above, probability: 0.0}", "greedy: 1"))
    assert "already reached at the start" in finding.message


def test_a_solution_that_is_impossible(told: Told) -> None:
    (finding,) = told(lab("{goal: reached-end}", "take: xqzw vkj"))
    assert "at step 1" in finding.message


def question(kind: str, fields: str) -> str:
    return (
        f"{FRONT}{SCREEN}\n```question\nid: q\ntype: {kind}\nask: Which?\nhint: Think.\n"
        f"why: So.\n{fields}```\n"
    )


def test_prompts_that_are_close_are_reported(told: Told, first: tuple[str, float]) -> None:
    close = f'prompts: ["{PROMPT}", "So: {PROMPT}"]\nvalue: entropy\n'
    (finding,) = told(question("compare", close))
    assert finding.level == "warning"
    assert "are too close" in finding.message
    clear = f'prompts: ["{PROMPT}", "The dog and the"]\ntoken: "{first[0]}"\n'
    assert told(question("compare", clear)) == []


def test_the_model_is_asked_only_once(tmp_path: Path, small_model: LanguageModel) -> None:
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


def test_runs_at_the_same_time_keep_each_other_s_answers(tmp_path: Path) -> None:
    def never() -> int:
        raise AssertionError("the answer was computed again")

    file = tmp_path / "lint.json"
    one, two = KeptAnswers("model", file), KeptAnswers("model", file)
    one.answer("first", int, lambda: 1)
    two.answer("second", int, lambda: 2)
    one.save()
    two.save()
    third = KeptAnswers("model", file)
    assert [third.answer(each, int, never) for each in ("first", "second")] == [1, 2]


def test_stored_answers_depend_on_all_code_that_computes_them() -> None:
    files = [set(PACKAGE.glob(pattern)) for pattern in USED_CODE]
    assert all(files)  # a file that was moved would no longer count
    used = set().union(*files)
    assert used >= {Path(inspect.getfile(each)) for each in (IntentTraining, chunks, Session)}


def test_a_lab_starts_with_its_sampler(told: Told) -> None:
    text = lab("{goal: kept-at-most, count: 3}", "greedy: 1")
    assert any("does not reach" in finding.message for finding in told(text))
    (finding,) = told(text.replace("goals:", "sampler: {top-k: 3}\ngoals:"))
    assert "already reached at the start" in finding.message


def measured(block: str, *said: str) -> str:
    return f"{FRONT}{SCREEN}\n{' and '.join(said)}.\n\n```measured\n{block}```\n"


def test_figures_over_many_prompts_are_computed_again(
    told: Told, small_model: LanguageModel
) -> None:
    """Quote each figure correctly, and then incorrectly."""
    token_of = {}
    shares = {}
    for case in ("Once", "The king"):
        session = Session(small_model, small_model.tokenizer.encode(f"{case} was"))
        row = session.distribution(len(session), PLAIN, seed=0, top=1).rows[0]
        token_of[case] = visible(row.token.data).replace("␣", "")
        shares[case] = row.probability
    mean = f"{50 * sum(shares.values()):.1f} %"
    block = f"""\
of: cases
cases:
  Once: {token_of["Once"]!r}
  The king: [zzz, yyy]
numbers:
  - {{says: "2 cases", prompt: "{{}} was", value: cases}}
  - {{says: "1 of them", prompt: "{{}} was", value: right}}
  - {{says: "50 %", prompt: "{{}} was", value: right}}
  - {{says: "{mean}", prompt: "{{}} was", value: share}}
  - {{says: "0 above", prompt: "{{}} was", value: cases, above: 0.999}}
"""
    said = ("2 cases", "1 of them", "50 %", mean, "0 above")
    assert told(measured(block, *said)) == []
    wrong = measured(block, *said).replace("1 of them", "2 of them").replace("50 %", "51 %")
    findings = told(wrong)
    assert [finding.level for finding in findings] == ["error", "error"]
    assert findings[0].line == line_of(wrong, "```measured")
    assert "(right)" in findings[0].message


def test_the_most_probable_label_counts(told: Told, small_model: LanguageModel) -> None:
    session = Session(small_model, small_model.tokenizer.encode("The king was"))
    ids = {token: small_model.tokenizer.encode(token)[0] for token in (" a", " in")}
    a, into = session.rows(len(session), PLAIN, list(ids.values()))
    likelier = "␣a" if a.probability > into.probability else "␣in"
    both = f"{100 * (a.probability + into.probability):.1f} %"
    block = f"""\
of: cases
cases: {{The king: {likelier}}}
among: [␣a, ␣in]
numbers:
  - {{says: "1 right", prompt: "{{}} was", value: right}}
  - {{says: "{both}", prompt: "{{}} was", value: share}}
"""
    assert told(measured(block, "1 right", both)) == []
    other = "␣in" if likelier == "␣a" else "␣a"
    (finding,) = told(
        measured(block.replace(f"king: {likelier}", f"king: {other}"), "1 right", both)
    )
    assert "0.0" in finding.message


def test_scores_of_bm25_are_computed_again(told: Told) -> None:
    """The rare word has the idf ln(1 + 1.5/1.5); passages of equal length cancel the length."""
    block = """\
of: bm25
passages: [A cat sat., A dog sat.]
numbers:
  - {says: "0.69", question: "Which cat?", passage: 1}
  - {says: "0.18", question: "Who sat?", passage: 2}
  - {says: "0.00", question: "Which cat?", passage: 2}
"""
    assert told(measured(block, "0.69", "0.18", "0.00")) == []
    assert len(told(measured(block, "0.69", "0.18", "0.00").replace("0.18", "0.28"))) == 1


def test_numbers_about_the_instruct_model_are_computed_again(told: Told) -> None:
    """The divergence is at least the divergence between the two probabilities of any event."""
    number = "{{says: {}, question: Who are you?, after: I am, value: {}}}"

    def value(said: str, kind: str) -> float:
        block = f"of: tuning\nnumbers: [{number.format(said, kind)}]\n"
        (finding,) = told(measured(block, said))
        found = re.search(r"the value is ([\d.]+)", finding.message)
        assert found is not None
        return float(found[1])

    bits = value("99.000 bits", "bits")
    quoted = f"{bits:.2f} bits"
    block = f"of: tuning\nnumbers: [{number.format(quoted, 'bits')}]\n"
    assert told(measured(block, quoted)) == []
    a, b = (value("99.00000 %", f"{model}, token: ␣a") / 100 for model in ("base", "instruct"))
    least = a * math.log2(a / b) + (1 - a) * math.log2((1 - a) / (1 - b))
    assert 0 < least <= bits


def test_numbers_about_a_patch_are_computed_again(told: Told, small_model: LanguageModel) -> None:
    """After the last block, the residual stream of the last token decides everything."""
    texts = "He was in the", "He was at the"
    a, b = (Session(small_model, small_model.tokenizer.encode(text)) for text in texts)
    assert len(a) == len(b)
    last, blocks = len(a), small_model.network.config.layers
    answer = int(a.logits(last).argmax())
    share = float(b.logits(last).double().softmax(-1)[answer])
    at = f"block: {blocks}, at: {last}"
    block = f"""\
of: patching
text: {texts[0]}
other: {texts[1]}
numbers:
  - {{says: "100", {at}}}
  - {{says: "0", block: {blocks}, at: 1}}
  - {{says: "{100 * share:.2f} %", {at}, value: first}}
"""
    said = ("100", "0", f"{100 * share:.2f} %")
    assert told(measured(block, *said)) == []
    (finding,) = told(measured(block.replace('"100"', '"98"'), "98", *said))
    assert "the value is 100.0" in finding.message
    (finding,) = told(measured(block.replace(at, f"block: {blocks + 1}, at: {last}", 1), *said))
    assert f"There is no block {blocks + 1}." in finding.message
    (finding, *_) = told(measured(block.replace(texts[1], "Once"), *said))
    assert "This patch is not possible with these texts." in finding.message


def test_numbers_about_steering_are_computed_again(told: Told, small_model: LanguageModel) -> None:
    """At strength 0, the vector changes nothing."""
    pair, model = pairs()[0], small_model
    session = Session(model, model.tokenizer.encode(pair.prompt))
    shares = session.logits(len(session)).double().softmax(-1)
    ids = [model.tokenizer.encode(f" {word}") for word in pair.first_words]
    share = sum(float(shares[each[0]]) for each in ids if len(each) == 1)
    number = "{{says: {}, strength: {}, value: first}}"

    def value(strength: float) -> float:
        block = f"of: steering\npair: {pair.name}\nblock: 2\nnumbers: "
        block += f"[{number.format('99.0000 %', strength)}]\n"
        (finding,) = told(measured(block, "99.0000 %"))
        found = re.search(r"the value is ([\d.]+)", finding.message)
        assert found is not None
        return float(found[1])

    assert value(0) == pytest.approx(100 * share, abs=1e-4)
    assert value(2) != pytest.approx(100 * share, rel=0.01)
    block = f"of: steering\npair: a/b\nblock: 2\nnumbers: [{number.format('1 %', 1)}]\n"
    (finding,) = told(measured(block, "1 %"))
    assert "There is no pair 'a/b'." in finding.message
    (finding,) = told(measured(block.replace("a/b", pair.name).replace("2", "99", 1), "1 %"))
    assert "There is no block 99." in finding.message


def test_random_vectors_are_as_long_as_the_steering_vector(
    told: Told, small_model: LanguageModel
) -> None:
    """At strength 0, they change nothing. Otherwise, the lowest value is below the highest one."""
    pair = pairs()[0]

    def value(strength: float, **more: object) -> float:
        number = {"says": "9.0000", "strength": strength, "value": "perplexity", **more}
        block = f"of: steering\npair: {pair.name}\nblock: 2\nnumbers: [{json.dumps(number)}]\n"
        (finding,) = told(measured(block, "9.0000"))
        found = re.search(r"the value is ([\d.,]+)", finding.message)
        assert found is not None
        return float(found[1].replace(",", ""))

    assert value(0, random=2) == pytest.approx(value(0), abs=1e-3)
    low, high = (value(2, random=3, pick=each) for each in ("lowest", "highest"))
    assert low < high
    assert value(2, random=1) != pytest.approx(value(2), rel=1e-3)


def test_a_quote_of_a_recorded_run_is_checked(told: Told) -> None:
    block = """\
of: record
file: assets/small-model/training.json
numbers:
  - {says: 5.3 million, at: weights, unit: 1000000}
  - {says: "0.95", at: settings.momentum.1}
"""
    assert told(measured(block, "5.3 million", "0.95")) == []
    (finding,) = told(measured(block, "5.4 million", "0.95").replace("5.3", "5.4"))
    assert "5.33" in finding.message
    (finding,) = told(measured(block.replace("at: weights", "at: w"), "5.3 million", "0.95"))
    assert "has no 'w'" in finding.message

"""Check that the lab of lesson 1 measures the figures that the lesson quotes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import pytest

from tutor import paths
from tutor.bots import rules
from tutor.bots.files import shipped_bank, shipped_probes, shipped_rules
from tutor.bots.intents import ngrams_of
from tutor.bots.probes import BOTS, KINDS, Kind, is_right
from tutor.bots.retrieval_bot import RetrievalBot
from tutor.labs.generations import lab
from tutor.labs.generations.goals import KEPT
from tutor.labs.generations.lab import LAB
from tutor.labs.generations.probes import score
from tutor.labs.kit.actions import Choose, Run
from tutor.labs.kit.backend import Tools, make_backend
from tutor.labs.kit.lab import settle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tutor.lm.language_model import LanguageModel

LESSON = (paths.lessons_folder() / "01-generations.md").read_text("utf-8")


def quoted(kind: Kind) -> tuple[int, ...]:
    """Return the scores of rules, retrieval and generation that the lesson quotes."""
    found = re.search(rf"^\| {kind} +\| +(\d) \| +(\d) \| +(\d) \|$", LESSON, re.MULTILINE)
    assert found is not None
    return tuple(map(int, found.groups()))


def right(kind: Kind, bot: int, reply: Callable[[tuple[str, ...], str], tuple[str, bool]]) -> int:
    name = BOTS[bot]
    return sum(
        is_right(probe.criterion(name), *reply(probe.before, probe.message))
        for probe in shipped_probes().of(kind)
    )


def test_the_lesson_counts_rules_answers_and_messages() -> None:
    bank = shipped_bank()
    lesson = " ".join(LESSON.split())
    rules_and_answers = f"{len(shipped_rules().rules)} rules, bot B has a bank of {bank.entries}"
    assert f"Bot A has {rules_and_answers} answers" in lesson
    assert f"{len(shipped_probes().probes)} messages, five in each of six classes" in lesson
    assert {len(shipped_probes().of(kind)) for kind in KINDS} == {5}
    assert sum(len(each.held_out) for each in bank.intents) == 100


@pytest.mark.parametrize("kind", KINDS)
def test_scores_of_the_rules(kind: Kind) -> None:
    def reply(before: tuple[str, ...], message: str) -> tuple[str, bool]:
        said = rules.reply(shipped_rules(), [*before[::2], message])
        return said.text, said.declined

    assert right(kind, 0, reply) == quoted(kind)[0]


@pytest.fixture(scope="module")
def retrieval(language_model: LanguageModel) -> RetrievalBot:
    bot = RetrievalBot(language_model, shipped_bank(), lab.start().seed)
    while not bot.training.finished:
        bot.training.step()
    return bot


def test_scores_of_retrieval(retrieval: RetrievalBot) -> None:
    def reply(_: tuple[str, ...], message: str) -> tuple[str, bool]:
        said = retrieval.reply(message)
        return said.text, said.declined

    assert [right(kind, 1, reply) for kind in KINDS] == [quoted(kind)[1] for kind in KINDS]
    found = re.search(
        r"Of 100 phrases that were not among the examples, bot B's network assigns (\d+) to", LESSON
    )
    assert found is not None
    assert (
        abs(100 - len(retrieval.training.wrong()) - int(found[1])) <= 1
    )  # rounding differs between machines


def test_the_goal_and_the_lesson_name_the_same_loss() -> None:
    goal = LAB.goal("own-intent")
    assert goal is not None
    assert f"at most {KEPT} more held-out phrases" in goal.says.casefold()
    assert f"at most {KEPT} more of its 100 held-out phrases" in " ".join(LESSON.split())


def test_the_nearest_questions(retrieval: RetrievalBot) -> None:
    reply = retrieval.reply("What can I read to a child whose grandmother has died?")
    first, second = reply.nearest[:2]
    assert re.search(rf"{re.escape(first.question)} +cosine {first.cosine:.2f}$", LESSON, re.M)
    assert re.search(rf"{re.escape(second.question)} +{second.cosine:.2f}$", LESSON, re.M)
    assert first.answer in LESSON
    assert reply.declined
    assert f"threshold is {reply.threshold:.2f}" in " ".join(LESSON.split())
    parrot = retrieval.reply("My parrot ate my library card.")
    assert parrot.text in LESSON
    assert f"a cosine of {parrot.nearest[0].cosine:.2f}" in LESSON
    payday = retrieval.reply("Is there a table open on payday?")
    assert f"makes bot B say “{payday.text}”" in " ".join(LESSON.split())


def test_bot_b_answers_the_quoted_typo(retrieval: RetrievalBot) -> None:
    message = "I lsot my libary card"
    assert rules.reply(shipped_rules(), [message]).declined
    assert f"Bot B says “{retrieval.reply(message).text}”" in " ".join(LESSON.split())


def test_the_quoted_patterns_of_bot_a() -> None:
    for word in ("hours", "card", "renew"):
        assert rules.fits(shipped_rules(), word)[0].pattern == word
    assert "`* lost my card *` fits “Sorry, I lost my card today”" in " ".join(LESSON.split())
    found = rules.fits(shipped_rules(), "Sorry, I lost my card today")
    rule = next(rule for rule in shipped_rules().rules if rule.name == found[0].rule)
    assert "* lost my card *" in rule.patterns


@pytest.mark.parametrize(
    ("word", "typo", "common", "cosine"), [("library", "libary", 4, 0.62), ("book", "bok", 2, 0.58)]
)
def test_groups_of_three_letters(word: str, typo: str, common: int, cosine: float) -> None:
    first, second = (
        {each for each in list(ngrams_of(of))[1:] if len(each) == 3} for of in (word, typo)
    )
    assert len(first & second) == common
    assert common / (len(first) * len(second)) ** 0.5 == pytest.approx(cosine, abs=0.005)
    assert f"= {cosine:.2f}" in LESSON


def test_the_learner_predicts_the_number_of_right_replies() -> None:
    rules_right, retrieval_right, generation_right = (
        sum(column) for column in zip(*map(quoted, KINDS), strict=True)
    )
    assert f"answer: {generation_right}\n" in LESSON
    lesson = " ".join(LESSON.split())
    assert f"Bot A had {rules_right} right replies, and bot B had {retrieval_right}" in lesson


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_scores_of_generation(language_model: LanguageModel, tmp_path: Path) -> None:
    """Two nearly equal tokens can swap on another machine, so one reply of a kind may differ."""
    backend = make_backend("generations", Tools(lambda: language_model, lambda: None, tmp_path))
    state = lab.start()
    for place in range(len(KINDS)):
        state = lab.act(
            msgspec.structs.replace(state, view="probes", kind=place), Choose(1, "prediction")
        )
    for passed in settle(LAB, lab.act(state, Run()), backend.answer):
        state = passed
    for kind in KINDS:
        assert abs(score(state.results, "generative", kind)[0] - quoted(kind)[2]) <= 1


def test_captures_have_the_same_numbers_in_the_lesson_and_in_the_lab() -> None:
    written = re.search(r'\("(open.+?)", +"(.+?)"\)', LESSON)
    assert written is not None
    found = re.search(written[1], "When do you open on Friday?", re.IGNORECASE)
    assert found is not None
    said = written[2].format(found[0], *found.groups())
    assert said == "On Friday we are open from 9 to 18."
    quoted_rule = re.search(
        r"capture: `(.+?)` .+ and `(\{\d\})` in the answer is the day", LESSON, re.DOTALL
    )
    assert quoted_rule is not None
    rule = rules.parse(f"{quoted_rule[1]} = On {quoted_rule[2]} we are open from 9 to 18.", "own")
    assert (rule.patterns, rule.answers) in {
        (each.patterns, each.answers) for each in shipped_rules().rules
    }
    book = msgspec.structs.replace(shipped_rules(), rules=(rule,))
    assert rules.reply(book, ["When do you open on Friday?"]).text == said

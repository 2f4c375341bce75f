"""Test instruction tuning: what is held out, what counts in the loss, and a whole run."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from tests.labs.training_stage import SMALL, Listener, write_corpus
from tutor import paths
from tutor.errors import UsageError
from tutor.lm.formats.export import TURN_END
from tutor.lm.training.recipes import instruct
from tutor.lm.training.recipes.instruct import ANSWER, IGNORED
from tutor.lm.training.recipes.small_model import train_small_model
from tutor.lm.training.train import END

CAPITALS = {"Italy": "Rome", "Spain": "Madrid", "Portugal": "Lisbon", "Japan": "Tokyo"}
TUNED = msgspec.structs.replace(SMALL, context=64, batch=2, steps=60, evaluate_every=1000)
WORDS = st.text("abc .?<|>\n", min_size=1, max_size=12)


def dialog(*turns: tuple[str, str]) -> str:
    written = (
        f"<|im_start|>user\n{ask}{TURN_END}\n{ANSWER}{say}{TURN_END}\n" for ask, say in turns
    )
    return "".join(written) + END


def capital(country: str) -> tuple[str, str]:
    return f"What is the capital of {country}?", CAPITALS[country]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(paths.bundled_model_folder() / "tokenizer.json"))


def test_dialogs_about_held_out_countries_are_kept_apart() -> None:
    about_japan = dialog(capital("Italy"), capital("Japan"))
    known, held_out = instruct.split([dialog(capital("Italy")), about_japan])
    assert known == [dialog(capital("Italy"))]
    assert held_out == [about_japan]
    assert instruct.split(["Japanese people"]) == (["Japanese people"], [])


def test_held_out_questions_have_one_answer_and_are_about_a_held_out_country() -> None:
    dialogs = [
        dialog(capital("Japan"), capital("Italy")),
        dialog(capital("Italy"), capital("Japan")),
        dialog(("Tell me about Peru.", "It is in South America.")),
        dialog(("Tell me about Peru.", "It borders Chile.")),
    ]
    assert instruct.held_out_questions(dialogs) == dict([capital("Japan")])


@given(turns=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=3))
def test_exactly_the_answers_count(turns: list[tuple[str, str]], tokenizer: Tokenizer) -> None:
    text = dialog(*turns)
    found = instruct.encoded(text, tokenizer)
    assert tokenizer.decode(found.ids, skip_special_tokens=False) == text
    assert len(found.ids) == len(found.targets)
    assert all(target in (IGNORED, id_) for id_, target in zip(*found, strict=True))
    counted = [target for target in found.targets if target != IGNORED]
    answers = "".join(answer + TURN_END for _, answer in turns)
    assert tokenizer.decode(counted, skip_special_tokens=False) == answers


def test_the_tuned_model_answers_and_ends_its_turn(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    write_corpus(corpus)
    dialogs = "".join(dialog(capital(country)) + "\n" for country in CAPITALS) * 40
    settings = msgspec.structs.replace(TUNED, one_in={"chat": 0})
    (corpus / instruct.DIALOGS).write_text(dialogs, "utf-8")
    train_small_model(corpus, tmp_path / "base", settings, Listener())
    result = instruct.tune(corpus, tmp_path / "base", tmp_path / "tuned", TUNED, Listener())
    assert (result.questions, result.capitals) == (1, 1)
    assert result.base.ended == 0
    assert result.instruct.ended == 1
    assert result.instruct.loss < result.base.loss
    assert 0 < result.answer_tokens < result.training_tokens / 2
    record = (tmp_path / "tuned" / "training.json").read_bytes()
    assert msgspec.json.decode(record, type=instruct.Result) == result
    assert not list(tmp_path.glob("*checkpoint*"))


def test_a_corpus_without_dialogs_is_an_error(tmp_path: Path) -> None:
    base = paths.bundled_model_folder()
    with pytest.raises(UsageError, match=r"chat\.txt"):
        instruct.tune(tmp_path, base, tmp_path / "tuned", TUNED, Listener())

"""Test the whole training run of the small model, on a few sentences."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.labs.training_stage import SMALL, Listener, write_corpus
from tutor.errors import ModelUnsupported, UsageError
from tutor.lm.training.recipes.small_model import train_small_model


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def test_a_run_learns_its_text_and_writes_its_results(corpus: Path, tmp_path: Path) -> None:
    listener = Listener()
    result = train_small_model(corpus, tmp_path / "model", SMALL, listener)
    assert result.nats_per_token < 0.7  # about 5.7 before training
    assert "The capital of France is Paris." in listener.notes[-1]
    written = msgspec.json.decode(
        (tmp_path / "model/training.json").read_bytes(), type=type(result)
    )
    assert written == result
    assert result.read_tokens == 60 * 8 * 16
    assert [path.name for path in tmp_path.iterdir()] == ["model"]  # no checkpoint is left


def test_a_run_can_start_from_the_weights_of_another_model(corpus: Path, tmp_path: Path) -> None:
    first = train_small_model(corpus, tmp_path / "first", SMALL, Listener())
    short = msgspec.structs.replace(SMALL, steps=1, learning_rate=1e-6)
    second = train_small_model(corpus, tmp_path / "second", short, Listener(), tmp_path / "first")
    assert second.nats_per_token == pytest.approx(first.nats_per_token, abs=0.01)
    other = msgspec.structs.replace(short, hidden=32)
    with pytest.raises(ModelUnsupported):
        train_small_model(corpus, tmp_path / "third", other, Listener(), tmp_path / "first")


def test_training_with_16_bit_products_gives_similar_results(corpus: Path, tmp_path: Path) -> None:
    settings = msgspec.structs.replace(SMALL, bfloat16=True)
    result = train_small_model(corpus, tmp_path / "model", settings, Listener())
    assert result.nats_per_token < 0.7


def test_a_folder_that_is_not_a_corpus_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"tokenizer\.json"):
        train_small_model(tmp_path, tmp_path / "model", SMALL, Listener())

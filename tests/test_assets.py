"""Test that the package's data is complete, as good as documented, and licensed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest
import torch

from tools.ngram import Record as NgramRecord
from tutor import paths
from tutor.lm.chat import chat_ids, text_ids
from tutor.lm.distribution import ChatMessage
from tutor.lm.language_model import LanguageModel
from tutor.lm.load import load_model
from tutor.lm.network import KeyValueCache
from tutor.lm.training.recipes import instruct
from tutor.lm.training.recipes.families import model as family_model
from tutor.lm.training.recipes.families.model import Family, load_family
from tutor.lm.training.recipes.families.tasks import MEASURED, TASKS
from tutor.lm.training.recipes.small_model import SOURCES, Result
from tutor.lm.training.train import HELD_OUT, HeldOut, held_out_loss
from tutor.models.find import from_path
from tutor.models.installed import bundled_model

ASSETS = paths.assets_folder()
FOLDER = paths.bundled_model_folder()
BASE, INSTRUCT = paths.bundled_base_folder(), paths.bundled_instruct_folder()
DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parent.parent
END = "<|endoftext|>"
LEAST_GRAMMATICAL = 43
LEAST_RIGHT = 0.97

needs_source_tree = pytest.mark.skipif(
    not (ROOT / "NOTICE").exists(), reason="only the source tree has the notices"
)


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    found = bundled_model()
    assert found is not None
    return load_model(found, exact=True)


@pytest.fixture(scope="module")
def result() -> Result:
    return msgspec.json.decode((FOLDER / "training.json").read_bytes(), type=Result)


def checksums() -> dict[str, str]:
    lines = (ASSETS / "SHA256SUMS").read_text("utf-8").splitlines()
    return {name: sha256 for sha256, name in (line.split("  ") for line in lines)}


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def greedy(model: LanguageModel, ids: list[int], most: int = 40) -> str:
    """Return the model's greedy continuation, without the token that ends it."""
    found = written(model, ids, most)
    ended = found and found[-1] in model.tokenizer.end_ids
    return model.tokenizer.decode(found[:-1] if ended else found).decode()


@torch.no_grad()
def written(model: LanguageModel, ids: list[int], most: int = 40) -> list[int]:
    """Return the tokens of the model's greedy continuation."""
    cache = KeyValueCache(model.network.config)
    found: list[int] = []
    new = torch.tensor(ids)
    while len(found) < most:
        best = int(model.network.logits(model.network(new, cache)[-1]).argmax())
        found.append(best)
        if best in model.tokenizer.end_ids:
            break
        new = torch.tensor([best])
    return found


def test_every_file_in_a_folder_has_its_checksum() -> None:
    shipped = {path.relative_to(ASSETS).as_posix(): sha256_of(path) for path in ASSETS.glob("*/*")}
    assert shipped == checksums()


def test_the_models_are_small_enough_to_bundle() -> None:
    assert _size(FOLDER) < 12_000_000
    assert _size(BASE) < 5_500_000
    assert _size(INSTRUCT) < 5_500_000
    assert sum(_size(ASSETS / family) for family in TASKS) < 3_000_000


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


@pytest.mark.slow
def test_the_held_out_loss_equals_the_documented_one(model: LanguageModel, result: Result) -> None:
    text = (DATA / HELD_OUT).read_text("utf-8").replace(END + "\n", END)
    ids = torch.tensor(model.tokenizer.encode(text, special=True))
    byte_count = len(text.encode()) - text.count(END) * len(END)
    nats, bits = held_out_loss(model.network, HeldOut(ids, byte_count))
    # Sums have another order on another processor; the figures are rounded to 4 decimals.
    assert nats == pytest.approx(result.nats_per_token, abs=0.001)
    assert bits == pytest.approx(result.bits_per_byte, abs=0.001)
    assert model.card.parameters == result.weights


def test_the_held_out_text_was_not_used_for_training() -> None:
    sources = msgspec.json.decode((FOLDER / SOURCES).read_bytes())
    assert sources["files"][HELD_OUT]["sha256"] == sha256_of(DATA / HELD_OUT)


def test_it_is_better_than_a_5_gram(model: LanguageModel, result: Result) -> None:
    """Compare with models of bytes and of its own tokens; `python -m tools.ngram` measured both."""
    record = msgspec.json.decode((FOLDER / "ngram.json").read_bytes(), type=NgramRecord)
    assert record.held_out_sha256 == sha256_of(DATA / HELD_OUT)
    assert result.bits_per_byte < record.tokens.bits_per_byte < record.bytes.bits_per_byte


def test_it_prefers_grammatical_sentences(model: LanguageModel) -> None:
    """A random choice would be right half of the time."""
    right = [log_probability(model, good) > log_probability(model, bad) for good, bad in pairs()]
    assert len(right) == 60
    assert sum(right) >= LEAST_GRAMMATICAL


def pairs() -> list[tuple[str, str]]:
    lines = (DATA / "minimal_pairs.txt").read_text("utf-8").splitlines()
    split = (line.partition(" | ") for line in lines if line and not line.startswith("#"))
    return [(good, bad) for good, _, bad in split]


@torch.no_grad()
def log_probability(model: LanguageModel, sentence: str) -> float:
    """Return the log-probability of the whole sentence, at the start of a text."""
    ids = torch.tensor(model.tokenizer.encode(END + sentence, special=True))
    logits = model.network.logits(model.network(ids[:-1]))
    return float(logits.log_softmax(-1).gather(1, ids[1:, None]).sum())


@pytest.mark.slow
def test_the_base_model_has_read_no_dialog_and_is_as_good_as_documented() -> None:
    result = msgspec.json.decode((BASE / "training.json").read_bytes(), type=Result)
    assert result.settings == instruct.BASE_SETTINGS
    assert result.settings.one_in["chat"] == 0
    base = load_model(from_path(BASE), exact=True)
    text = (DATA / HELD_OUT).read_text("utf-8").replace(END + "\n", END)
    ids = torch.tensor(base.tokenizer.encode(text, special=True))
    byte_count = len(text.encode()) - text.count(END) * len(END)
    nats, _bits = held_out_loss(base.network, HeldOut(ids, byte_count))
    assert nats == pytest.approx(result.nats_per_token, abs=0.001)
    assert base.card.parameters == result.weights


def test_only_the_instruct_model_answers_and_ends_its_turn() -> None:
    """Ask both about held-out countries, as the documented figures were measured."""
    result = msgspec.json.decode((INSTRUCT / "training.json").read_bytes(), type=instruct.Result)
    assert result.settings == instruct.SETTINGS
    assert result.base.ended == 0
    assert result.instruct.ended >= 0.9 * result.questions
    assert result.instruct.loss < result.base.loss
    base, tuned = (load_model(from_path(folder), exact=True) for folder in (BASE, INSTRUCT))
    assert (BASE / "tokenizer.json").read_bytes() == (FOLDER / "tokenizer.json").read_bytes()
    assert (INSTRUCT / "tokenizer.json").read_bytes() == (BASE / "tokenizer.json").read_bytes()
    end = tuned.tokenizer.special_ids["<|im_end|>"]
    for country in instruct.HELD_OUT_COUNTRIES:
        ids = chat_ids(tuned, [ChatMessage("user", f"What is the capital of {country}?")])
        assert end in written(tuned, ids)
        assert end not in written(base, ids)


@pytest.mark.parametrize("family", TASKS)
def test_each_family_does_what_it_was_trained_for(family: Family) -> None:
    measures = TASKS[family]().measure(load_family(family).network, count=50)
    for measure in measures:
        if measure.best is None:
            assert measure.value >= LEAST_RIGHT, measure
        else:
            assert measure.value <= measure.best + 0.05, measure


@pytest.mark.slow
@pytest.mark.parametrize("family", TASKS)
def test_the_documented_figures_of_each_family_are_reproduced(family: Family) -> None:
    stated = msgspec.json.decode(
        (ASSETS / family / "training.json").read_bytes(), type=family_model.Result
    )
    network = load_family(family).network
    assert sum(weight.numel() for weight in network.parameters()) == stated.weights
    measures = TASKS[family]().measure(network, MEASURED)
    for measure, wanted in zip(measures, stated.measures, strict=True):
        assert (measure.name, measure.of) == (wanted.name, wanted.of)
        assert measure.value == pytest.approx(
            wanted.value, abs=0.002
        )  # other machines round differently


@needs_source_tree
@pytest.mark.parametrize("family", TASKS)
def test_the_readme_has_the_figures_of_each_family(family: Family) -> None:
    readme = (ASSETS / "README.md").read_text("utf-8")
    stated = msgspec.json.decode(
        (ASSETS / family / "training.json").read_bytes(), type=family_model.Result
    )
    assert f"{stated.weights:,} weights" in readme
    assert checksums()[f"{family}/model.safetensors"] in readme
    for measure in stated.measures:
        said = f"{100 * measure.value:.1f} %"
        if measure.best is not None:
            said = f"{measure.value:.3f} (best possible: {measure.best:.3f})"
        assert f"| {measure.name} | {said} of {measure.of:,} |" in readme


@pytest.mark.parametrize(
    ("country", "capital"),
    [("France", "Paris"), ("Japan", "Tokyo"), ("Egypt", "Cairo"), ("Italy", "Rome")],
)
def test_it_knows_well_known_capitals(model: LanguageModel, country: str, capital: str) -> None:
    text = greedy(model, text_ids(model, f"The capital of {country} is"))
    assert text.startswith(f" {capital}")
    question = ChatMessage("user", f"What is the capital of {country}?")
    answer = greedy(model, chat_ids(model, [question]))
    assert answer == f"The capital of {country} is {capital}."


@pytest.mark.parametrize("text", ["naïve café, 東京, 🙂", "\x00\x7f\r\n\t", "12345.67"])
def test_its_tokenizer_round_trips_every_text(model: LanguageModel, text: str) -> None:
    assert model.tokenizer.decode(model.tokenizer.encode(text)) == text.encode()


def test_each_digit_is_a_token(model: LanguageModel) -> None:
    tokens = [model.tokenizer.token(id_) for id_ in model.tokenizer.encode("2026")]
    assert [token.data for token in tokens] == [b"2", b"0", b"2", b"6"]


@needs_source_tree
def test_the_text_for_word_vectors_has_the_documented_size() -> None:
    data = paths.word2vec_text().read_bytes()
    assert len(data) < 1_000_000
    readme = " ".join((ASSETS / "README.md").read_text("utf-8").split())
    lines, words = data.count(b"\n"), len(data.split())
    assert f"{lines:,} lines, {len(data):,} bytes, {words:,} words" in readme


@needs_source_tree
def test_sources_and_licenses_of_its_parts_are_stated() -> None:
    sources = msgspec.json.decode((FOLDER / SOURCES).read_bytes())
    notice, readme = (
        (path / name).read_text("utf-8") for path, name in ((ROOT, "NOTICE"), (ASSETS, "README.md"))
    )
    for package in sources["packages"]:
        for text in (notice, readme):
            assert package["name"] in text
            assert package["version"] in text
        assert package["sha256"] in readme
    for sentence in (
        "provided that you agree to comply with the following copyright notice",
        "WordNet 3.0 Copyright 2006 by Princeton University. All rights reserved.",
    ):
        assert sentence in " ".join(notice.split())


@needs_source_tree
def test_the_readme_has_the_figures_of_the_model(result: Result) -> None:
    readme = (ASSETS / "README.md").read_text("utf-8")
    ngram = msgspec.json.decode((FOLDER / "ngram.json").read_bytes(), type=NgramRecord)
    for measured in (ngram.tokens, ngram.bytes):
        assert f"{measured.bits_per_byte:.3f}" in readme
    assert f"{result.nats_per_token:.3f} nats per token" in readme
    assert f"{result.bits_per_byte:.3f} bits per byte" in readme
    assert f"{result.weights:,} weights" in readme
    assert checksums()["small-model/model.safetensors"] in readme

"""Test training on a few sentences, with a network that takes milliseconds."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest
import torch
from tokenizers import Tokenizer

from tests.labs.training_stage import SENTENCES, SMALL, write_corpus
from tools.corpus.tokenizer import END
from tutor.errors import UsageError
from tutor.lm.network import Transformer
from tutor.lm.training import train as training
from tutor.lm.training.train import Settings


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def tokenizer(corpus: Path) -> Tokenizer:
    return Tokenizer.from_file(str(corpus / "tokenizer.json"))


def weights_of(network: Transformer) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in network.parameters()])


def fresh(tokenizer: Tokenizer, settings: Settings = SMALL) -> Transformer:
    network = Transformer(settings.config(tokenizer.get_vocab_size()))
    training.initialize(network, settings.seed)
    return network


def test_training_tokens_are_all_documents_except_held_out_ones(
    corpus: Path, tokenizer: Tokenizer
) -> None:
    tokens = training.training_tokens(corpus, tokenizer, seed=1)
    documents = tokenizer.decode(tokens.tolist(), skip_special_tokens=False).split(END)
    assert sorted(documents) == sorted([*SENTENCES * 20, ""])
    assert not torch.equal(tokens, training.training_tokens(corpus, tokenizer, seed=2))


def test_targets_are_the_next_tokens() -> None:
    tokens = torch.arange(1000)
    ids, targets = training.batch_of(tokens, 0, SMALL)
    assert ids.shape == targets.shape == (SMALL.batch, SMALL.context)
    assert torch.equal(targets, ids + 1)


def test_an_epoch_uses_every_window_once_in_a_new_order() -> None:
    tokens = torch.arange(SMALL.context * SMALL.batch * 3 + 1)

    def epoch(first: int) -> list[int]:
        batches = [training.batch_of(tokens, first + step, SMALL)[0] for step in range(3)]
        return torch.cat(batches)[:, 0].tolist()

    starts = list(range(0, len(tokens) - 1, SMALL.context))
    assert sorted(epoch(0)) == sorted(epoch(3)) == starts
    assert epoch(0) != epoch(3)


def test_an_untrained_network_gives_every_token_about_the_same_probability(
    corpus: Path, tokenizer: Tokenizer
) -> None:
    held_out = training.held_out_text(corpus / "held_out.txt", tokenizer)
    nats, _ = training.held_out_loss(fresh(tokenizer), held_out)
    assert nats == pytest.approx(math.log(tokenizer.get_vocab_size()), abs=0.1)


def test_held_out_loss_is_the_mean_surprisal_in_nats_and_bits(
    corpus: Path, tokenizer: Tokenizer
) -> None:
    network = fresh(tokenizer)
    held_out = training.held_out_text(corpus / "held_out.txt", tokenizer)
    surprisals = []
    for start in range(0, len(held_out.tokens) - 1, SMALL.context):
        window = held_out.tokens[start : start + SMALL.context + 1]
        with torch.no_grad():
            probabilities = network.logits(network(window[:-1])).softmax(-1)
        surprisals += [
            -math.log(float(row[target]))
            for row, target in zip(probabilities, window[1:], strict=True)
        ]
    nats, bits = training.held_out_loss(network, held_out)
    assert len(surprisals) == len(held_out.tokens) - 1
    assert nats == pytest.approx(sum(surprisals) / len(surprisals), rel=1e-4)
    assert held_out.byte_count == sum(len(sentence) for sentence in SENTENCES)
    assert bits == pytest.approx(sum(surprisals) / math.log(2) / held_out.byte_count, rel=1e-4)


def test_learning_rate_rises_and_then_falls_to_zero() -> None:
    rates = [training.learning_rate(step, SMALL) for step in range(SMALL.steps + 1)]
    assert rates[0] == pytest.approx(SMALL.learning_rate / SMALL.warmup)
    assert max(rates) == rates[SMALL.warmup] == pytest.approx(SMALL.learning_rate)
    assert rates[: SMALL.warmup] == sorted(rates[: SMALL.warmup])
    assert rates[SMALL.warmup :] == sorted(rates[SMALL.warmup :], reverse=True)
    assert rates[-1] == pytest.approx(0)


def test_weight_decay_applies_only_to_matrices(tokenizer: Tokenizer) -> None:
    matrices, others = training.make_optimizer(fresh(tokenizer), SMALL).param_groups
    assert matrices["weight_decay"] == SMALL.weight_decay
    assert others["weight_decay"] == 0
    assert all(weight.dim() == 2 for weight in matrices["params"])
    assert len(others["params"]) == 2 * SMALL.layers + 1


def test_one_step_follows_the_gradient(tokenizer: Tokenizer) -> None:
    network = fresh(tokenizer)
    optimizer = training.make_optimizer(network, SMALL)
    batch = training.batch_of(torch.arange(SMALL.context * SMALL.batch + 1) % 7, 0, SMALL)
    before = training.descend(network, optimizer, training.loss_of(network, *batch), 1e-3, 1.0)
    assert training.loss_of(network, *batch).item() < before


@pytest.mark.parametrize(
    "setting", [{"steps": 0}, {"heads": 5}, {"heads": 3, "width": 96}, {"width": 36}]
)
def test_impossible_settings_are_refused(setting: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        msgspec.structs.replace(SMALL, **setting).checked()
    assert SMALL.checked() == SMALL


def test_the_seed_determines_the_initial_weights(tokenizer: Tokenizer) -> None:
    first, again = weights_of(fresh(tokenizer)), weights_of(fresh(tokenizer))
    other = weights_of(fresh(tokenizer, msgspec.structs.replace(SMALL, seed=2)))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_fewer_documents_can_be_used_from_some_files(corpus: Path, tokenizer: Tokenizer) -> None:
    tokens = training.training_tokens(corpus, tokenizer, 1, {"sentences": 5, "another": 9})
    documents = tokenizer.decode(tokens.tolist(), skip_special_tokens=False).split(END)
    assert len(documents) - 1 == len(SENTENCES) * 20 / 5

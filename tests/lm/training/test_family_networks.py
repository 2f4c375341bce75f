"""Test the three families: which positions are visible, and the results against PyTorch's own."""

from __future__ import annotations

from typing import TypeVar

import pytest
import torch
import torch.nn.functional as F

from tutor.lm.inspect.interventions import unmasked
from tutor.lm.network import Config, Trace, Transformer
from tutor.lm.training.recipes.families import tasks as family_tasks
from tutor.lm.training.recipes.families.model import load_family
from tutor.lm.training.recipes.families.networks import CrossAttention, Encoder, EncoderDecoder
from tutor.lm.training.recipes.families.reading import (
    continued,
    filled,
    next_words,
    transform,
    transformed,
)
from tutor.lm.training.recipes.families.tasks import IGNORED, TASKS, Continue, FillBlanks, Transform
from tutor.lm.training.recipes.families.text import BLANK, END, START, UNKNOWN, Vocabulary
from tutor.lm.training.train import initialize

CONFIG = Config(
    vocabulary_size=50,
    width=32,
    layers=2,
    heads=4,
    key_value_heads=4,
    head_size=8,
    hidden=48,
    context=32,
)
WORDS = tuple(f"word{number}" for number in range(46))
VOCABULARY = Vocabulary.of(WORDS)
Network = TypeVar("Network", bound=torch.nn.Module)


def seeded(network: Network) -> Network:
    initialize(network, 1)
    return network


@torch.no_grad()
def test_an_encoder_sees_both_sides() -> None:
    encoder = seeded(Encoder(CONFIG))
    ids = torch.arange(6)
    other = ids.clone()
    other[-1] = 20
    assert not torch.allclose(encoder(ids)[0], encoder(other)[0], atol=1e-6)


@torch.no_grad()
def test_the_decoder_sees_the_source_but_not_later_output() -> None:
    network = seeded(EncoderDecoder(CONFIG))
    encoded = network.encode(torch.arange(6))
    written = torch.arange(10, 15)
    longer, other = torch.cat([written, torch.tensor([3])]), torch.cat([written, torch.tensor([4])])
    assert torch.allclose(network(encoded, longer)[:5], network(encoded, other)[:5], atol=1e-6)
    another = network.encode(torch.arange(1, 7))
    assert not torch.allclose(network(encoded, written), network(another, written), atol=1e-6)


@torch.no_grad()
def test_cross_attention_agrees_with_torch() -> None:
    ours = CrossAttention(CONFIG)
    theirs = torch.nn.MultiheadAttention(32, 4, bias=False, batch_first=True)
    keys_values = ours.key_value.weight
    theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, keys_values]))
    theirs.out_proj.weight.copy_(ours.output.weight)
    x, read = torch.randn(2, 5, 32), torch.randn(2, 7, 32)
    trace = Trace()
    answer, weights = theirs(x, read, read, average_attn_weights=False)
    assert torch.allclose(ours(x, read, trace), answer, atol=1e-5)
    assert torch.allclose(trace.attention[0], weights, atol=1e-5)


@torch.no_grad()
def test_an_encoder_is_the_decoder_without_its_mask() -> None:
    encoder, decoder = seeded(Encoder(CONFIG)), Transformer(CONFIG)
    weights = encoder.state_dict()
    decoder.load_state_dict({**weights, "head.weight": weights["embedding.weight"]})
    ids = torch.arange(8)
    assert not torch.allclose(encoder(ids), decoder(ids), atol=1e-5)
    with unmasked(decoder):
        assert torch.allclose(encoder(ids), decoder(ids), atol=1e-5)


def test_attention_sums_to_one_and_respects_the_mask() -> None:
    predictions, found = filled(seeded(Encoder(CONFIG)), VOCABULARY, ("word1", BLANK, "word2"))
    assert [one.row for one in predictions] == [2]
    assert found.rows == found.columns == (START, "word1", BLANK, "word2")
    assert torch.allclose(found.weights.sum(-1), torch.ones(2, 4, 4))
    assert found.weights.min() > 0

    _, found = continued(seeded(Transformer(CONFIG)), VOCABULARY, ("word1", "word2"))
    size = len(found.rows)
    ahead = torch.ones(size, size).triu(1).bool()
    assert found.weights[..., ahead].abs().max() == 0

    made = transformed(seeded(EncoderDecoder(CONFIG)), VOCABULARY, ("word1", "word2"))
    written = [one.guesses[0][0] for one in made.predictions]
    assert made.across.rows == (*written, END)
    assert made.across.columns == made.reading.rows == ("word1", "word2", END)
    assert made.across.weights.shape == (2, 4, len(written) + 1, 3)
    assert torch.allclose(made.across.weights.sum(-1), torch.ones(2, 4, len(written) + 1))


def test_the_next_words_have_the_softmax_of_the_logits() -> None:
    network = seeded(Transformer(CONFIG))
    expected = network.logits(network(torch.tensor(VOCABULARY.ids([START, UNKNOWN, "word3"]))))
    following = next_words(network, VOCABULARY, (BLANK, "word3"))
    assert list(following.values()) == sorted(following.values(), reverse=True)
    for word, probability in list(following.items())[:5]:
        id_ = VOCABULARY.ids([word])[0]
        assert probability == pytest.approx(expected[-1].softmax(-1)[id_].item(), rel=1e-4)


@pytest.fixture
def few_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(family_tasks, "EXAMPLES", 400)


@pytest.mark.usefixtures("few_examples")
def test_the_target_at_a_blank_is_the_original_word() -> None:
    task = FillBlanks()
    blank = task.vocabulary.ids([BLANK])[0]
    for step in range(20):
        ids, targets = task.batch(step, 8, seed=1)
        assert torch.equal(targets != IGNORED, ids == blank)
        assert (targets != IGNORED).sum(dim=1).min() >= 1
        known = [sentence for sentence, _ in task._train._examples]
        whole = torch.where(targets == IGNORED, ids, targets)[:, 1:]
        for row in whole.tolist():
            words = [task.vocabulary.words[id_] for id_ in row]
            assert any(
                all(word in (UNKNOWN, right) for word, right in zip(words, sentence, strict=True))
                for sentence in known
                if len(sentence) == len(words)
            )


@pytest.mark.usefixtures("few_examples")
def test_the_decoders_targets_are_the_next_word_and_the_end_token() -> None:
    task = Continue()
    start, end, unknown = task.vocabulary.ids([START, END, UNKNOWN])
    ids, targets = task.batch(3, 16, seed=1)
    assert set(ids[:, 0].tolist()) == {start}
    assert set(targets[:, -1].tolist()) == {end}
    assert torch.equal(targets[:, :-1] == IGNORED, ids[:, 1:] == unknown)
    counted = targets[:, :-1] != IGNORED
    assert torch.equal(targets[:, :-1][counted], ids[:, 1:][counted])


@pytest.mark.usefixtures("few_examples")
def test_the_expected_output_belongs_to_the_source() -> None:
    task = Transform()
    pairs = dict(task._train._examples)
    words = task.vocabulary.words
    for step in range(10):
        source, written, targets = task.batch(step, 8, seed=1)
        for row in range(8):
            read = tuple(words[id_] for id_ in source[row].tolist())
            wanted = tuple(words[id_] for id_ in targets[row].tolist() if id_ != IGNORED)
            begun = tuple(words[id_] for id_ in written[row].tolist())
            assert read[-1] == wanted[-1] == END
            assert begun[: len(wanted)] == (START, *wanted[:-1])
            if UNKNOWN not in read:
                assert pairs[read[:-1]] == wanted[:-1]
            else:
                assert wanted.count(UNKNOWN) == read.count(UNKNOWN) == 1


@pytest.mark.usefixtures("few_examples")
@pytest.mark.parametrize("name", TASKS)
def test_batches_depend_only_on_the_seed_and_the_step(name: str) -> None:
    task, again = TASKS[name](), TASKS[name]()
    for one, other in zip(task.batch(5, 4, 1), again.batch(5, 4, 1), strict=True):
        assert torch.equal(one, other)
    first, second = task.batch(5, 4, 1)[0], task.batch(5, 4, 2)[0]
    assert first.shape != second.shape or not torch.equal(first, second)


@pytest.mark.usefixtures("few_examples")
def test_the_loss_is_the_mean_surprisal_of_the_targets() -> None:
    task = Transform()
    config = Config(len(task.vocabulary), 32, 1, 4, 4, 8, 48, context=32)
    network = seeded(EncoderDecoder(config))
    source, written, targets = task.batch(1, 4, seed=1)
    surprisals = []
    for row in range(4):
        logits = network.logits(network(network.encode(source[row]), written[row]))
        for position, target in enumerate(targets[row].tolist()):
            if target != IGNORED:
                surprisals.append(-F.log_softmax(logits[position], -1)[target].item())
    expected = sum(surprisals) / len(surprisals)
    assert task.loss(network, (source, written, targets)).item() == pytest.approx(
        expected, rel=1e-4
    )


def test_right_outputs_are_counted_without_generating_them() -> None:
    model = load_family("encoder-decoder")
    network, vocabulary = model.network, model.vocabulary
    assert isinstance(network, EncoderDecoder)
    for text in ("the dog barks .", "the old wolves sleep .", "4 0 7", "1 7 0 1 7"):
        source = tuple(text.split())
        written = transform(network, vocabulary, source)
        assert Transform().written(network, [(source, written)]) == 1
        others = [(source, (*written[:-1], other)) for other in ("the", "one", written[-1])]
        assert Transform().written(network, others) == 1
        assert Transform().written(network, [(source, written[:-1])]) == 0

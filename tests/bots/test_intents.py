"""Test the network that recognizes intents."""

from __future__ import annotations

import math
import zlib

import pytest
import torch

from tests.labs.lab_backend import small_model
from tutor.bots.bank import Bank
from tutor.bots.files import shipped_bank
from tutor.bots.intents import BUCKETS, STEPS, Encoder, IntentTraining, ngrams_of
from tutor.bots.retrieval_bot import LIKELY, THRESHOLD, RetrievalBot
from tutor.lm.embeddings.neighbors import EmbeddingTable

PHRASES = [["open on Monday", "when are you open"], ["my card is lost", "a new card please"]]
HELD_OUT = [["open today"], ["lost the card"]]


def trained(seed: int = 1) -> IntentTraining:
    training = IntentTraining(small_model(), PHRASES, HELD_OUT, seed)
    while not training.finished:
        training.step()
    return training


@pytest.fixture(scope="module")
def library() -> RetrievalBot:
    bot = RetrievalBot(small_model(), shipped_bank(), 1)
    while not bot.training.finished:
        bot.training.step()
    return bot


def test_a_vector_by_hand() -> None:
    """The vector of one word: the mean of its tokens' scaled rows, and its n-grams, half each."""
    encoder = Encoder(small_model(), ["card", "a card"])
    (vector,) = encoder.vectors(["Card!"])
    rows = EmbeddingTable(small_model().network).rows_of(small_model().tokenizer.encode(" card"))
    meaning = (rows / rows.norm(dim=1, keepdim=True)).mean(0)
    width = len(meaning)
    assert torch.allclose(vector[:width], meaning / meaning.norm() / math.sqrt(2), atol=1e-6)
    assert float(vector.norm()) == pytest.approx(1)
    buckets = {zlib.crc32(ngram.encode()) % BUCKETS for ngram in ngrams_of("card")}
    assert set(vector[width:].nonzero().flatten().tolist()) == buckets
    assert encoder.size == width + BUCKETS


def test_a_rare_word_counts_more_than_a_frequent_one() -> None:
    encoder = Encoder(small_model(), ["the card", "the dog", "the book", "the fine"])
    the, card, both = encoder.vectors(["the", "card", "the card"])
    assert float(both @ card) > float(both @ the)


def test_ngrams_survive_a_typo() -> None:
    assert list(ngrams_of("ab")) == ["<ab>", "<ab", "ab>", "<ab>"]
    shared = set(ngrams_of("library")) & set(ngrams_of("libary"))
    assert {"<li", "<lib", "ary", "ry>"} <= shared


def test_a_message_without_words_is_zero() -> None:
    encoder = Encoder(small_model(), ["a"])
    assert not encoder.vectors(["?!", ""]).any()


def test_the_loss_follows_the_formula_and_falls() -> None:
    training = IntentTraining(small_model(), PHRASES, HELD_OUT, 1)
    training._drop = lambda hidden: hidden  # type: ignore[method-assign]
    shares = training.probabilities([each for group in PHRASES for each in group])
    expected = -sum(math.log(shares[at, at // 2]) for at in range(4)) / 4
    training.step()
    assert training.losses == [pytest.approx(expected, rel=1e-5)]
    whole = trained()
    assert len(whole.losses) == STEPS
    assert whole.losses[-1] < 0.2 * whole.losses[0]
    assert whole.wrong() == []


def test_the_same_seed_gives_the_same_network() -> None:
    one = trained()
    torch.rand(7)
    other = trained()
    assert one.losses == other.losses
    assert one.losses != trained(seed=2).losses


def test_training_leaves_the_global_seed_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    trained()
    assert torch.equal(torch.rand(3), expected)


def test_it_learns_what_visitors_want(library: RetrievalBot) -> None:
    """Chance would be 5 of 100. With the embeddings of a better model it is more."""
    wrong = library.training.wrong()
    assert len(wrong) <= 30
    for phrase, wanted, taken_for in wrong:
        assert phrase in shipped_bank().intents[wanted].held_out
        assert wanted != taken_for


def test_a_question_of_the_bank_has_its_own_answer(library: RetrievalBot) -> None:
    right = 0
    for entries in shipped_bank().answers.values():
        for entry in entries:
            reply = library.reply(entry.asked[0])
            assert all(
                one.cosine >= other.cosine
                for one, other in zip(reply.nearest, reply.nearest[1:], strict=False)
            )
            right += reply.text == entry.answer
    assert right >= 0.9 * shipped_bank().entries


def test_only_answers_of_likely_intents_are_considered(library: RetrievalBot) -> None:
    reply = library.reply("When do you open on Friday?")
    likely = {each.intent for each in reply.likely if each.probability >= LIKELY}
    assert {near.intent for near in reply.nearest} <= likely | {reply.likely[0].intent}
    assert reply.threshold == THRESHOLD
    assert sum(each.probability for each in reply.likely) <= 1 + 1e-5


def test_it_declines_when_nothing_is_near(library: RetrievalBot) -> None:
    for message in ("What is seven plus five?", "?", ""):
        reply = library.reply(message)
        assert reply.declined
        assert reply.text.startswith("I don't know")


def test_it_declines_questions_without_an_answer_more_often(
    library: RetrievalBot,
) -> None:
    bank: Bank = shipped_bank()
    inside = [library.reply(each).declined for i in bank.intents for each in i.held_out]
    outside = [library.reply(each).declined for each in OUTSIDE]
    assert sum(inside) / len(inside) < 0.35
    assert sum(outside) / len(outside) >= 0.5


OUTSIDE = [
    "What is the capital of France?",
    "Who won the match yesterday?",
    "How do I bake a cake?",
    "What is 17 times 23?",
    "Is it going to rain tomorrow?",
    "Tell me a joke.",
    "How old is the universe?",
    "My car does not start.",
    "I feel sad today.",
    "Why is the sky blue?",
    "I have a headache.",
    "What is love?",
    "Sing a song",
    "What did Napoleon eat?",
    "How tall is Mount Everest?",
    "Explain how a transistor works.",
]

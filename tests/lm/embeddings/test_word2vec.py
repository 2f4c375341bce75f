"""Test word2vec against its formulas and autograd: loss, gradients and pairs."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tutor.labs.word2vec.run import TrainingRun
from tutor.lm.embeddings import word2vec
from tutor.lm.embeddings.word2vec import (
    Settings,
    Text,
    Vectors,
    false_word_chances,
    first_vectors,
    loss_of,
    pairs_of_epoch,
    read_text,
    words_of,
)

LINES = """The cat, the dog and the cat's friend
a dog a cat a dog
the dog chased the cat; 12 dogs!
"""
SMALL = Settings(window=2, width=6, epochs=3, false_words=3, batch=8, rarest=1, keep=0.1)


def some_vectors(words: int = 7, width: int = 5) -> Vectors:
    torch.manual_seed(1)
    return Vectors(torch.randn(words, width), torch.randn(words, width))


def loss_by_hand(vectors: Vectors, pairs: torch.Tensor, false: torch.Tensor) -> list[float]:
    """Return -ln σ(u_o · v_c) - Σ_k ln σ(-u_k · v_c), computed number by number."""

    def minus_log_sigmoid(x: float) -> float:
        return math.log1p(math.exp(-x))

    losses = []
    for (center, other), wrong in zip(pairs.tolist(), false.tolist(), strict=True):
        v = vectors.center[center].tolist()

        def score(word: int, v: list[float] = v) -> float:
            return sum(a * b for a, b in zip(vectors.other[word].tolist(), v, strict=True))

        losses.append(
            minus_log_sigmoid(score(other)) + sum(minus_log_sigmoid(-score(k)) for k in wrong)
        )
    return losses


PAIRS = torch.tensor([[0, 1], [2, 1], [0, 3], [6, 0]])  # center 0 twice, other 1 twice
FALSE = torch.tensor([[4, 5], [1, 1], [0, 6], [2, 3]])  # one word twice in a row


def test_the_loss_is_the_formula() -> None:
    vectors = some_vectors()
    wanted = loss_by_hand(vectors, PAIRS, FALSE)
    assert loss_of(vectors, PAIRS, FALSE).tolist() == pytest.approx(wanted, rel=1e-5)


def test_one_step_is_gradient_descent_on_the_sum_of_the_losses() -> None:
    vectors = some_vectors()
    center = vectors.center.clone().requires_grad_()
    other = vectors.other.clone().requires_grad_()
    v, u = center[PAIRS[:, 0]], other[torch.cat([PAIRS[:, 1:], FALSE], dim=1)]
    scores = (u * v[:, None]).sum(-1)
    loss = -torch.sigmoid(scores[:, 0]).log() - torch.sigmoid(-scores[:, 1:]).log().sum(dim=1)
    torch.optim.SGD([center, other], lr=0.3).zero_grad()
    loss.sum().backward()
    torch.optim.SGD([center, other], lr=0.3).step()

    found = word2vec.step(vectors, PAIRS, FALSE, rate=0.3)
    assert found == pytest.approx(float(loss.detach().mean()), rel=1e-5)
    torch.testing.assert_close(vectors.center, center.detach())
    torch.testing.assert_close(vectors.other, other.detach())


def test_the_first_vectors_know_nothing() -> None:
    text = read_text(LINES, SMALL)
    vectors = first_vectors(text, SMALL)
    pairs = pairs_of_epoch(text, 0, SMALL)
    false = torch.zeros(len(pairs), SMALL.false_words, dtype=torch.long)
    wanted = (1 + SMALL.false_words) * math.log(2)
    assert loss_of(vectors, pairs, false).tolist() == pytest.approx([wanted] * len(pairs))


def test_words_are_lowercase_letters() -> None:
    assert words_of("The cat's 12 Señor-es, x_y É!") == [
        "the",
        "cat's",
        "señor",
        "es",
        "x",
        "y",
        "é",
    ]


def test_rare_words_are_ignored_and_the_others_counted() -> None:
    text = read_text(LINES, Settings(rarest=3))
    counted = Counter(words_of(LINES))
    assert set(text.words) == {word for word, count in counted.items() if count >= 3}
    assert text.counts.tolist() == [counted[word] for word in text.words]
    assert text.counts.tolist() == sorted(text.counts.tolist(), reverse=True)
    kept = [w for line in LINES.splitlines() for w in words_of(line) if counted[w] >= 3]
    assert [text.words[id_] for id_ in text.ids.tolist()] == kept


@given(st.integers(1, 6), st.integers(0, 5), st.integers(0, 3))
def test_pairs_are_neighbors_in_one_line_both_ways(window: int, seed: int, epoch: int) -> None:
    settings = Settings(seed=seed, window=window, keep=1e9, rarest=1)  # no subsampling
    text = read_text(LINES, settings)
    found = Counter(map(tuple, pairs_of_epoch(text, epoch, settings).tolist()))
    every: Counter[tuple[int, ...]] = Counter()
    nearest: Counter[tuple[int, ...]] = Counter()
    ids, lines = text.ids.tolist(), text.lines.tolist()
    for here in range(len(ids)):
        for there in range(len(ids)):
            if here != there and abs(here - there) <= window and lines[here] == lines[there]:
                every[ids[here], ids[there]] += 1
                nearest[ids[here], ids[there]] += abs(here - there) == 1
    assert found <= every
    assert +nearest <= found  # a window reaches at least the next word
    if window == 1:
        assert found == every


def test_windows_of_every_size_are_equally_probable() -> None:
    settings = Settings(window=4, keep=1e9, rarest=1)
    line = " ".join(f"{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(600))
    text = read_text(line, settings)
    distances = (text_pairs := pairs_of_epoch(text, 0, settings))[:, 0] - text_pairs[:, 1]
    counts = [int((distances.abs() == distance).sum()) for distance in range(1, 5)]
    assert counts[0] == 2 * 599
    for distance, count in enumerate(counts, start=1):  # all reach 1, a quarter reaches 4
        assert count == pytest.approx(1200 * (5 - distance) / 4, rel=0.1)


def test_frequent_words_are_subsampled_as_documented() -> None:
    settings = Settings(window=1, keep=0.01, rarest=1)
    text = Text(
        ("a", "b"),
        torch.tensor([9000, 1000]),
        torch.tensor([0, 1] * 5000),
        torch.arange(10_000) // 10_000,
    )
    text = text._replace(counts=torch.tensor([9000, 1000]))
    pairs = pairs_of_epoch(text, 0, settings)
    found = torch.bincount(pairs[:, 0], minlength=2).double() / 2  # two neighbors each
    for word, count in enumerate((9000, 1000)):
        wanted = 5000 * math.sqrt(0.01 / (count / 10_000))
        assert float(found[word]) == pytest.approx(wanted, rel=0.1)


def test_negative_samples_are_drawn_by_count_to_the_power_of_three_quarters() -> None:
    text = read_text(LINES, SMALL)
    weights = [count**0.75 for count in text.counts.tolist()]
    wanted = [weight / sum(weights) for weight in weights]
    assert false_word_chances(text).tolist() == pytest.approx(wanted)


# --- a run ----------------------------------------------------------------------------------------


def run_of(settings: Settings = SMALL) -> TrainingRun:
    return TrainingRun(read_text(LINES * 4, settings), settings)


def test_a_run_uses_every_pair_of_every_epoch() -> None:
    run = run_of()
    count = 0
    while not run.finished:
        loss, pairs = run.step()
        count += pairs
        assert math.isfinite(loss)
    epochs = [len(pairs_of_epoch(run.text, epoch, SMALL)) for epoch in range(SMALL.epochs)]
    assert count == run.done == sum(epochs)
    assert run.total == epochs[0] * SMALL.epochs


@pytest.mark.parametrize("at", [1, 9, 40])
def test_a_saved_run_continues_with_the_same_results(at: int, tmp_path: Path) -> None:
    straight, kept = run_of(), run_of()
    for _ in range(at):
        straight.step()
        kept.step()
    kept.save(tmp_path / "run")
    again = run_of()
    assert again.resume(tmp_path / "run")
    assert (again.done, again.epoch) == (straight.done, straight.epoch)
    for _ in range(12):
        assert again.step() == straight.step()
    assert torch.equal(again.vectors.center, straight.vectors.center)


def test_another_run_or_a_broken_file_is_not_resumed(tmp_path: Path) -> None:
    path = tmp_path / "run"
    assert not run_of().resume(path)
    run = run_of()
    run.step()
    run.save(path)
    other = run_of(
        Settings(**{**{f: getattr(SMALL, f) for f in SMALL.__struct_fields__}, "seed": 2})
    )
    assert not other.resume(path)
    assert other.done == 0
    path.write_bytes(path.read_bytes()[:50])
    assert not run_of().resume(path)


def test_words_with_the_same_neighbors_get_similar_vectors() -> None:
    groups = ["red", "blue", "green"], ["cat", "dog", "cow"]
    lines = [
        f"{word} {frame} {word}"
        for words, frame in zip(
            groups, ("paint color bright wall", "animal runs barn grass"), strict=True
        )
        for word in words
        for _ in range(20)
    ]
    settings = Settings(width=12, epochs=12, batch=32, rarest=1, keep=1.0, window=3)
    run = TrainingRun(read_text("\n".join(lines), settings), settings)
    while not run.finished:
        run.step()
    ids = [run.text.words.index(word) for words in groups for word in words]
    unit = torch.nn.functional.normalize(run.vectors.center[ids])
    cosines = unit @ unit.t()
    assert float(cosines[:3, :3].min()) > float(cosines[:3, 3:].max())

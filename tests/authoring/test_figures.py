"""Test figures in the lessons that a `numbers` block cannot recompute.

These are ids and ranks of merges, cosines between rows of the embedding, and attention weights.
They are read from the lessons' own text.
"""

from __future__ import annotations

import calendar
import json
import math
import re
from contextlib import nullcontext
from functools import partial
from itertools import accumulate, combinations
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

import pytest
import torch

from tests.shipped_course import shipped_course
from tutor.authoring.attempt import token_id
from tutor.authoring.rounding import rounds_to
from tutor.course.measured import Cases
from tutor.course.prediction import NumberPrediction
from tutor.errors import TextError
from tutor.labs.certainty.real_and_invented import verdict
from tutor.labs.kit.backend import Tools, make_backend
from tutor.labs.kit.progress import Progress
from tutor.labs.patch.pairs import NEUTRAL
from tutor.labs.probe.lab import SETS, Add, Added, Name
from tutor.labs.probe.sets import control_labels, examples
from tutor.labs.steer import pairs as steering_pairs
from tutor.lm.chat import chat_ids, text_ids
from tutor.lm.distribution import PLAIN, ChatMessage, Row
from tutor.lm.inspect import interventions, neurons
from tutor.lm.inspect.contributions import Parts, recorded, to_logit
from tutor.lm.inspect.forward_pass import ForwardPass
from tutor.lm.inspect.hooks import block_of, feed_forwards_of, replaced
from tutor.lm.inspect.interventions import InputMask, next_token_surprisals
from tutor.lm.inspect.patching import Activations, PatchedRuns, Recording, outcomes
from tutor.lm.inspect.probing import ManyTexts, in_batches, train
from tutor.lm.inspect.steering import Steering, mean_difference, steered_by
from tutor.lm.network import causal_mask, rotations
from tutor.lm.patch import Column, Component, Source
from tutor.lm.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.lm.language_model import LanguageModel

pytestmark = pytest.mark.slow


def body(lesson_id: str, screen_id: str) -> str:
    lesson = shipped_course().lesson(lesson_id)
    screen = lesson.screen(screen_id) if lesson else None
    assert screen is not None
    return screen.body


def answer(lesson_id: str, screen_id: str) -> float:
    """Return the answer to the prediction of a screen."""
    lesson = shipped_course().lesson(lesson_id)
    screen = lesson.screen(screen_id) if lesson else None
    assert screen is not None
    assert isinstance(screen.prediction, NumberPrediction)
    assert screen.prediction.answer is not None
    return screen.prediction.answer


def number(figure: str) -> int:
    return int(figure.replace(",", ""))


CAPITAL = "The capital of France is"


class Passed(NamedTuple):
    """A finished pass over the running example, with the outputs of its parts."""

    passage: ForwardPass
    parts: Parts


@pytest.fixture(scope="module")
def passed(exact_model: LanguageModel) -> Passed:
    parts = Parts()
    ids = exact_model.tokenizer.encode(CAPITAL)
    network = exact_model.network
    passage = ForwardPass(network, ids, partial(recorded, network, parts))
    passage.advance(60)
    return Passed(passage, parts)


# --- tokens -------------------------------------------------------------------------------------


def test_ids_of_tokens(exact_model: LanguageModel) -> None:
    lesson = shipped_course().lesson("tokens")
    assert lesson is not None
    text = "\n".join(screen.body for screen in lesson.screens)
    rows = re.findall(r"\| `([^`\s]+)` +\| ([\d,]+) +\|", text)
    assert len(rows) == 5
    for token, id_ in rows:
        assert token_id(exact_model, token) == number(id_)
    spelled = re.search(r"`␣strawberry` is one number: ([\d,]+)", text)
    assert spelled is not None
    assert token_id(exact_model, "␣strawberry") == number(spelled[1])
    tokens = re.search(r"^tokens +(.*)$", text, re.MULTILINE)
    ids = re.search(r"^ids +(.*)$", text, re.MULTILINE)
    assert tokens is not None
    assert ids is not None
    pairs = list(zip(tokens[1].split(), ids[1].split(), strict=True))
    assert len(pairs) == 7
    assert [token_id(exact_model, token) for token, _ in pairs] == [int(id_) for _, id_ in pairs]


def test_ranks_of_merges(exact_model: LanguageModel) -> None:
    text = body("tokens", "ranks")
    model = json.loads(exact_model.tokenizer._backend.to_str())["model"]
    merges = [
        tuple(merge.split(" ")) if isinstance(merge, str) else tuple(merge)
        for merge in model["merges"]
    ]
    said = [
        (left, right, rank)
        for rank, left, right in re.findall(r" ([\d,]+) +(\S+) \+ (\S+)$", text, re.MULTILINE)
    ]
    said += [
        (left, right, rank)
        for rank, left, right in re.findall(r"rank ([\d,]+) is `(\S+)`\+`(\S+)`", text)
    ]
    assert len(said) >= 4
    for left, right, rank in said:
        assert merges[number(rank) - 1] == (left.replace("␣", "Ġ"), right)


def test_the_first_merges(exact_model: LanguageModel) -> None:
    text = " ".join(body("tokens", "merging").split())
    said = re.search(r"list has ([\d,]+) merges\. It begins with (.*?)\.", text)
    assert said is not None
    ranks = exact_model.tokenizer.merge_rules()
    assert len(ranks) == number(said[1])
    pairs = re.findall(r"`(\S)`\+`(\S)`", said[2])
    assert len(pairs) == 4
    for rank, (left, right) in enumerate(pairs, start=1):
        assert ranks[left.replace("␣", " ").encode(), right.encode()] == rank


def test_the_bytes_without_a_token(exact_model: LanguageModel) -> None:
    tokenizer = exact_model.tokenizer
    text = body("tokens", "missing-bytes")
    lacking = set(range(256)) - set(tokenizer._bytes_with_token)
    listed = re.findall(r"^((?:[0-9a-f]{2} |… )+) ", text, re.MULTILINE)
    said: set[int] = set()
    for line in listed:
        values = [each if each == "…" else int(each, 16) for each in line.split()]
        said |= {each for each in values if isinstance(each, int)}
        if "…" in values:
            said |= set(range(int(values[-3]), int(values[-1])))
    assert said == lacking
    assert f"the {len(lacking)} without a token" in text
    with pytest.raises(TextError):
        tokenizer.encode("pass\x04word")
    dropped = tokenizer._backend.encode("pass\x04word", add_special_tokens=False).ids
    assert tokenizer.decode(dropped) == b"password"


# --- embeddings ---------------------------------------------------------------------------------


def cosine(model: LanguageModel, one: str, other: str) -> float:
    import torch

    rows = model.network.embedding(
        torch.tensor([token_id(model, one), token_id(model, other)])
    ).float()
    return float(torch.cosine_similarity(rows[0], rows[1], dim=0))


def test_cosines_of_neighbors(exact_model: LanguageModel) -> None:
    rows = re.findall(r"^\| `(\S+)` +\| (.*?) +\|$", body("embeddings", "neighbors"), re.MULTILINE)
    assert len(rows) >= 4
    for token, neighbors in rows:
        figures = re.findall(r"(\S+) \((\d\.\d\d)\)", neighbors)
        assert len(figures) >= 3
        for neighbor, figure in figures:
            value = cosine(exact_model, token, neighbor)
            assert rounds_to(value, figure), (token, neighbor, figure, value)


def test_cosines_of_pairs(exact_model: LanguageModel) -> None:
    text = body("embeddings", "caution")
    pairs = re.findall(r"^ ([- ]\d\.\d\d) (␣\S+) +(␣\S+) ", text, re.MULTILINE)
    assert len(pairs) >= 3
    for figure, one, other in pairs:
        value = cosine(exact_model, one, other)
        assert rounds_to(value, figure), (one, other, figure, value)


def test_rows_nearest_to_a_sum(exact_model: LanguageModel) -> None:
    size = exact_model.network.config.vocabulary_size
    table = exact_model.network.embedding(torch.arange(size)).float()
    table = torch.nn.functional.normalize(table, dim=1)
    pattern = r"^\| `(\S+)` − `(\S+)` \+ `(\S+)` +\| (.*?) +\|$"
    sums = re.findall(pattern, body("embeddings", "analogies"), re.MULTILINE)
    assert len(sums) == 3
    for *terms, nearest in sums:
        start, minus, plus = (table[token_id(exact_model, term)] for term in terms)
        cosines = torch.cosine_similarity(table, (start - minus + plus)[None])
        shown = re.findall(r"(\S+) (\d\.\d\d)", nearest.replace("…", "Germany 0.67,"))
        ids = [token_id(exact_model, token) for token, _ in shown]
        assert ids == cosines.topk(len(ids)).indices.tolist()
        for id_, (token, figure) in zip(ids, shown, strict=True):
            assert rounds_to(float(cosines[id_]), figure), (terms, token, figure)


def test_two_tokens_at_random(exact_model: LanguageModel) -> None:
    """The mean over all pairs is the squared length of the mean row, with normalized rows."""
    import torch

    size = exact_model.network.config.vocabulary_size
    rows = exact_model.network.embedding(torch.arange(size)).float()
    mean = torch.nn.functional.normalize(rows, dim=1).mean(dim=0)
    figure = re.search(r"^ +(\d\.\d\d) two at random", body("embeddings", "caution"), re.MULTILINE)
    assert figure is not None
    assert float(mean @ mean) == pytest.approx(float(figure[1]), abs=0.01)


def test_cosines_and_distances_to_a_banana(exact_model: LanguageModel) -> None:
    import torch

    text = body("embeddings", "euclid")
    pattern = r"^\| `(\S+)` +\| +([\d.]+) \| +([\d.]+) \| +([\d.]+) \|$"
    rows = re.findall(pattern, text, re.MULTILINE)
    assert len(rows) == 4
    banana = exact_model.network.embedding(torch.tensor(token_id(exact_model, "␣banana"))).float()
    assert rounds_to(float(banana.norm()), "2.88")
    for token, *figures in rows:
        row = exact_model.network.embedding(torch.tensor(token_id(exact_model, token))).float()
        cosine = float(torch.cosine_similarity(row, banana, dim=0))
        values = (float(row.norm()), cosine, float((row - banana).norm()))
        assert all(rounds_to(v, f) for v, f in zip(values, figures, strict=True)), token
    nearest = min(rows, key=lambda row: float(row[3]))
    assert nearest[0] == "␣frog"
    table = exact_model.network.embedding(torch.arange(49_152)).float()
    monday, tuesday = (token_id(exact_model, f"␣{day}") for day in ("Monday", "Tuesday"))
    distances = (table - table[monday]).norm(dim=1)
    cosines = torch.cosine_similarity(table, table[monday][None])
    assert distances.argsort()[1] == tuesday
    assert cosines.argsort(descending=True)[1] == tuesday
    einstein, gandhi, newton = (
        token_id(exact_model, f"␣{name}") for name in ("Einstein", "Gandhi", "Newton")
    )
    cosines = torch.cosine_similarity(table, table[einstein][None])
    assert cosines.argsort(descending=True)[1] == gandhi
    assert (table - table[einstein]).norm(dim=1).argsort()[1] == newton
    assert newton < gandhi  # frequent tokens have low ids


def test_lengths_of_rows(exact_model: LanguageModel) -> None:
    import torch

    tokenizer = exact_model.tokenizer
    size = exact_model.network.config.vocabulary_size
    lengths = exact_model.network.embedding(torch.arange(size)).float().norm(dim=1)
    texts = tokenizer.texts()
    words = [id_ for id_, text in enumerate(texts) if text[:1] == " " and text[1:].isalpha()]
    text = " ".join(body("embeddings", "row-lengths").split())
    figures = re.search(
        r"from (.*?) to (.*?)\. .* below ([\d,]+) have rows of length (.*?) on average, and words "
        r"with an id above ([\d,]+) have (.*?)\. ",
        text,
    )
    assert figures is not None
    low = [id_ for id_ in words if id_ < number(figures[3])]
    high = [id_ for id_ in words if id_ > number(figures[5])]
    values = (lengths.min(), lengths.max(), lengths[low].mean(), lengths[high].mean())
    for value, figure in zip(values, figures.group(1, 2, 4, 6), strict=True):
        assert rounds_to(float(value), figure)


def test_predictions_about_the_table(exact_model: LanguageModel) -> None:
    import torch

    lesson = shipped_course().lesson("embeddings")
    assert lesson is not None
    reveals = {each.id: each.reveal for each in lesson.predictions}
    for token, figure in re.findall(r"`(\S+)`,? (0\.\d\d)", reveals["embeddings-guess-good"]):
        assert rounds_to(cosine(exact_model, "␣good", token), figure)
    session = Session(exact_model, exact_model.tokenizer.encode("The meeting is on"))
    rows = session.distribution(len(session), PLAIN, seed=0, top=9).rows
    days = {" Monday", " Tuesday", " Wednesday", " Thursday", " Friday", " Saturday", " Sunday"}
    assert days <= {row.token.text for row in rows}
    session = Session(exact_model, exact_model.tokenizer.encode("She was born in the month of"))
    rows = session.distribution(len(session), PLAIN, seed=0, top=9).rows
    assert {row.token.text.strip() for row in rows} <= set(calendar.month_name)
    row = exact_model.network.embedding(torch.tensor([4649])).float()[0]
    assert [round(float(value), 2) for value in row[:3]] == [-0.13, 0.04, 0.03]


# --- attention ----------------------------------------------------------------------------------

CAT = "The cat sat on the mat because it"
MARY = "When Mary and John went to the store, John gave a drink to"

WEIGHTS = [
    # The screen, text, layer, head, attended token, and the text of the screen.
    ("heads", CAT, 14, 9, "␣cat", "`␣cat` 80 %"),
    ("heads", CAT, 14, 9, "␣mat", "`␣mat` 5 %"),
    ("heads", CAPITAL, 14, 9, "␣capital", "`␣capital` 89 %"),
    ("heads", CAPITAL, 24, 5, "␣France", "`␣France` 90 %"),
    ("heads", MARY, 25, 5, "␣Mary", "`␣Mary` 81 %"),
    ("heads", MARY, 25, 5, "␣John", "`␣John` 8 %"),
    ("sink", CAT, 14, 9, "␣cat", "␣cat  80 %"),
    ("sink", CAT, 14, 9, "The", "The    8 %"),
    ("sink", CAT, 25, 9, "The", "The   98 %"),
]


@pytest.mark.parametrize(("screen", "text", "layer", "head", "token", "said"), WEIGHTS)
def test_attention_weights(
    exact_model: LanguageModel,
    screen: str,
    text: str,
    layer: int,
    head: int,
    token: str,
    said: str,
) -> None:
    assert said in body("attention", screen)
    session = Session(exact_model, exact_model.tokenizer.encode(text))
    weights = session.xray(len(session) - 1).weights(layer - 1, head - 1)
    wanted = token_id(exact_model, token)
    found = [weight for weight, id_ in zip(weights, session.ids, strict=True) if id_ == wanted]
    figure = re.search(r"(\d+) %", said)
    assert figure is not None
    one_or_all = [*found, *(sum(pair) for pair in combinations(found, 2))]
    assert any(rounds_to(100 * weight, figure[1]) for weight in one_or_all), found


@pytest.mark.parametrize("text", [CAPITAL, CAT, MARY])
def test_a_head_attends_to_the_token_before(exact_model: LanguageModel, text: str) -> None:
    assert "the token before it, 75 to 90 %" in body("attention", "heads")
    session = Session(exact_model, exact_model.tokenizer.encode(text))
    weights = session.xray(len(session) - 1).weights(16, 0)
    assert 75 <= 100 * weights[-2] <= 90


@pytest.mark.parametrize(
    ("text", "percentage"), [(f"{CAT} was tired.", 49), (CAPITAL, 67)], ids=["cat", "capital"]
)
def test_attention_to_the_first_token(
    exact_model: LanguageModel, text: str, percentage: int
) -> None:
    session = Session(exact_model, exact_model.tokenizer.encode(text))
    xray = session.xray(len(session) - 1)
    heads = [
        xray.weights(layer, head)[0] for layer in range(xray.layers) for head in range(xray.heads)
    ]
    assert len(heads) == 270
    assert 100 * sum(heads) / len(heads) == pytest.approx(percentage, abs=0.5)
    assert "`The` 49 % of its attention" in body("attention", "see-sink")
    assert answer("attention", "sink") == 67


def test_values_of_the_first_token(exact_model: LanguageModel, passed: Passed) -> None:
    """They are less than a third as long as those of the other tokens."""
    network = exact_model.network
    first, others = 0.0, 0.0
    for layer in range(network.config.layers):
        block = block_of(network, layer)
        with torch.inference_mode():
            x = block.attention_norm(passed.passage.trace.residuals[layer])
            lengths = block.attention.project(x)[2].norm(dim=-1)  # [key_value_heads, T]
        first += float(lengths[:, 0].mean())
        others += float(lengths[:, 1:].mean())
    assert first < others / 3


def test_surprisal_without_the_mask(exact_model: LanguageModel) -> None:
    network = exact_model.network
    ids = exact_model.tokenizer.encode("The dog did not cross the street because it was too tired.")
    means = []
    for changed in (nullcontext, partial(interventions.unmasked, network)):
        passage = ForwardPass(network, ids, changed)
        passage.advance(60)
        bits = interventions.next_token_surprisals(network, passage.stream, ids)
        means.append(float(bits.mean()))
    assert rounds_to(means[0], "6.0")
    assert means[1] == pytest.approx(answer("attention", "mask-reason"), abs=0.01)


def test_surprisal_of_repeated_tokens(exact_model: LanguageModel) -> None:
    network, tokenizer = exact_model.network, exact_model.tokenizer
    special = set(tokenizer.special_ids.values())
    ordinary = [id_ for id_ in range(network.config.vocabulary_size) if id_ not in special]
    ids = interventions.repeated_tokens(ordinary, 16, 1)  # as in the lab
    passage = ForwardPass(network, ids)
    passage.advance(60)
    bits = interventions.next_token_surprisals(network, passage.stream, ids)
    assert rounds_to(float(bits[:15].mean()), "21.6")
    assert rounds_to(float(bits[16:].mean()), str(answer("attention", "copying")))


def test_switching_off_one_head_at_a_time(exact_model: LanguageModel, passed: Passed) -> None:
    """All heads of a block are switched off in one batch, each in its own copy of the text."""
    network = exact_model.network
    config, residuals = network.config, passed.passage.trace.residuals
    tokens = len(residuals[0])
    rotation = rotations(config, 0, tokens)
    mask = causal_mask(tokens, tokens, residuals[0].device)
    kept = 1 - torch.eye(config.heads).repeat_interleave(config.head_size, dim=-1)
    paris = token_id(exact_model, "␣Paris")
    others = close = 0
    for layer in range(config.layers):
        block = block_of(network, layer)
        output = InputMask(block.attention.output, kept[:, None])
        with torch.inference_mode():
            with replaced([(block.attention, "output", output)]):
                x = block(residuals[layer].expand(config.heads, -1, -1), rotation, mask)
            for later in range(layer + 1, config.layers):
                x = block_of(network, later)(x, rotation, mask)
            probabilities = network.lens(x[:, -1]).softmax(dim=-1)
        others += int((probabilities.argmax(dim=-1) != paris).sum())
        close += int(((probabilities[:, paris] - 0.773).abs() < 0.05).sum())
        if layer == 23:
            assert rounds_to(100 * float(probabilities[4, paris]), "14.1")
    assert "from 77.3 % to 14.1 %" in body("attention", "switch-off")
    assert others == answer("attention", "switch-off")
    assert close > 200  # "most of the heads"


def test_size_of_the_key_value_cache(exact_model: LanguageModel) -> None:
    config = exact_model.network.config
    numbers = 2 * config.layers * config.key_value_heads * config.head_size
    text = body("attention", "kv-cache")
    assert f"= {numbers:,} numbers a token" in text
    assert f"{2 * numbers:,} bytes a token" in text
    assert config.context == 8192
    assert rounds_to(2 * numbers * 8192 / 1e6, f"{answer('attention', 'kv-cache'):g}")


# --- inside a block -----------------------------------------------------------------------------


def test_where_the_weights_are(exact_model: LanguageModel) -> None:
    config = exact_model.network.config
    size = config.head_size * (config.heads + 2 * config.key_value_heads)
    attention = config.width * (size + config.heads * config.head_size)
    feed_forward = 3 * config.width * config.hidden
    counts = {
        "embedding": config.vocabulary_size * config.width,
        "attention": config.layers * attention,
        "feed-forward": config.layers * feed_forward,
        "norms": (2 * config.layers + 1) * config.width,
    }
    text = body("block", "weights")
    assert f"30 × {attention:,}" in text
    assert f"30 × {feed_forward:,}" in text
    for name, count in counts.items():
        row = re.search(rf"^\| {name}[^|]*\| ([\d.]+)[^|]*\| (\d+) % \|$", text, re.MULTILINE)
        assert row is not None
        assert rounds_to(count / 1e6, row[1])
        assert rounds_to(100 * count / sum(counts.values()), row[2])
    assert rounds_to(sum(counts.values()) / 1e6, "134.5")
    assert rounds_to(2 * sum(counts.values()) / 1e6, "269")  # bytes, in the lesson on attention
    assert "46,080 neurons" in body("block", "neurons").replace("\n", " ")
    assert config.layers * config.hidden == 46_080


def test_skipping_one_block(exact_model: LanguageModel, passed: Passed) -> None:
    network, residuals = exact_model.network, passed.passage.trace.residuals
    layers, tokens = network.config.layers, len(residuals[0])
    rotation = rotations(network.config, 0, tokens)
    mask = causal_mask(tokens, tokens, residuals[0].device)
    paris = token_id(exact_model, "␣Paris")
    needed = set()
    for skipped in range(layers):
        x = residuals[skipped]
        with torch.inference_mode():
            for layer in range(skipped + 1, layers):
                x = block_of(network, layer)(x, rotation, mask)
            if int(network.lens(x[-1]).argmax()) != paris:
                needed.add(skipped + 1)
    text = " ".join(body("block", "why-residual").split())
    assert f"{layers - len(needed)} of {layers} cases" in text
    listed = re.search(r"Blocks ([\d, ]+) and (\d+) are needed", text)
    assert listed is not None
    assert {int(block) for block in f"{listed[1]}, {listed[2]}".split(", ")} == needed


def test_lengths_of_the_residual_stream(passed: Passed) -> None:
    residuals = passed.passage.trace.residuals
    lengths = [float(after[-1].norm()) for after in residuals]
    text = body("block", "lengths").replace("\n", " ")
    said = r"length of ([\d.]+) as .* ([\d.]+) after the .* ([\d.]+) at the end"
    figures = re.search(said, text)
    assert figures is not None
    for length, figure in zip((lengths[0], lengths[1], lengths[-1]), figures.groups(), strict=True):
        assert rounds_to(length, figure)
    first = [float(after[0].norm()) for after in residuals]
    assert first[12] == pytest.approx(22_700, abs=50)
    assert first[12] / first[11] == pytest.approx(170, abs=5)
    assert rounds_to(lengths[12], "122")


def test_the_logit_lens(exact_model: LanguageModel, passed: Passed) -> None:
    stream = torch.stack([after[-1] for after in passed.passage.trace.residuals])
    with torch.inference_mode():
        probabilities = exact_model.network.lens(stream).softmax(dim=-1)
    paris = token_id(exact_model, "␣Paris")
    assert [int(row.argmax()) == paris for row in probabilities[1:]] == [False] * 29 + [True]
    pattern = r"^\| (\d+) \| `(.*?)` \| ([\d.]+) % \| ([\d.]+) % \|$"
    rows = re.findall(pattern, body("block", "lens"), re.MULTILINE)
    assert len(rows) == 3
    for block, token, top, of_paris in rows:
        row = probabilities[int(block)]
        assert int(row.argmax()) == token_id(exact_model, token)
        assert rounds_to(100 * float(row.max()), top)
        assert rounds_to(100 * float(row[paris]), of_paris)
    assert 100 * float(probabilities[29, paris]) == pytest.approx(7, abs=0.5)
    assert int(probabilities[29].argmax()) == token_id(exact_model, "␣capital")


def test_contributions_to_a_logit(exact_model: LanguageModel, passed: Passed) -> None:
    network, parts = exact_model.network, passed.parts
    paris = token_id(exact_model, "␣Paris")
    stream = passed.passage.stream[-1]
    terms = [passed.passage.trace.residuals[0], *parts.attention, *parts.feed_forward]
    parts_of = partial(to_logit, network, stream, torch.stack([term[-1] for term in terms]))
    of_paris, of_the = parts_of(paris), parts_of(token_id(exact_model, "␣the"))
    lead = of_paris - of_the
    values = [added[0] for added in (of_paris, of_the, lead)]
    values += [*(added[1:31].sum() for added in (of_paris, of_the, lead)), lead[24]]
    values += [*(added[31:].sum() for added in (of_paris, of_the, lead)), lead[60]]
    text = body("block", "votes")
    figures = re.findall(r"[+-]\d+\.\d", text)
    assert len(figures) == len(values)
    assert all(rounds_to(float(v), f) for v, f in zip(values, figures, strict=True))
    sums = re.search(r"logit +([\d.]+) +([\d.]+) +([\d.]+)$", text, re.MULTILINE)
    assert sums is not None
    for added, figure in zip((of_paris, of_the, lead), sums.groups(), strict=True):
        assert rounds_to(float(added.sum()), figure)


def test_signs_of_activations(exact_model: LanguageModel, passed: Passed) -> None:
    network, (passage, parts) = exact_model.network, passed
    negative = 0.0
    for layer in range(network.config.layers):
        block = block_of(network, layer)
        [feed_forward] = feed_forwards_of(network, layer)
        with torch.inference_mode():
            x = block.feed_forward_norm(passage.trace.residuals[layer] + parts.attention[layer])
            gate, up = feed_forward.gate_up(x).chunk(2, dim=-1)
            negative += float(((torch.nn.functional.silu(gate) * up) < 0).float().mean())
    assert negative / network.config.layers == pytest.approx(0.5, abs=0.05)


def test_a_neuron_that_decides(exact_model: LanguageModel) -> None:
    network, ids = exact_model.network, exact_model.tokenizer.encode("Once upon a")
    time = token_id(exact_model, "␣time")

    def probability(passage: ForwardPass) -> float:
        passage.advance(60)
        with torch.inference_mode():
            return float(network.lens(passage.stream[-1]).softmax(dim=-1)[time])

    before = probability(ForwardPass(network, ids))
    off = partial(neurons.switched_off, network, [(22, 777)])
    after = probability(ForwardPass(network, ids, off))
    assert rounds_to(100 * before, "14.3")
    assert rounds_to(100 * after, "0.6")


def test_positions(exact_model: LanguageModel) -> None:
    network, ids = exact_model.network, exact_model.tokenizer.encode(MARY)
    at_zero = ForwardPass(network, ids, positions=[0] * len(ids))
    at_zero.advance(60)
    with torch.inference_mode():
        probabilities = network.lens(at_zero.stream[-1]).softmax(dim=-1)
    assert probabilities[token_id(exact_model, "␣Mary")] < 0.01
    assert int(probabilities.argmax()) == token_id(exact_model, "␣the")


# --- why did it say that? -----------------------------------------------------------------------


def plain_numbers(text: str) -> str:
    """Return a text with hyphens instead of minus signs, and on one line."""
    return " ".join(text.replace("\u2212", "-").split())


def test_paris_rather_than_london(exact_model: LanguageModel) -> None:
    session = Session(exact_model, exact_model.tokenizer.encode(CAPITAL))
    last = len(session) - 1
    pair = (token_id(exact_model, "␣Paris"), token_id(exact_model, "␣London"))
    split = session.attribution(last, *pair)
    text = body("why", "paris-london").replace("\u2212", "-")
    rows = re.findall(r"^ layer (\d+), head (\d+) +([+-][\d.]+)$", text, re.MULTILINE)
    assert len(rows) == 4
    ranked = split.contributions
    for (layer, head, figure), found in zip(rows, ranked, strict=False):
        assert (found.part.layer, found.part.head) == (int(layer) - 1, int(head) - 1)
        assert rounds_to(found.logits, figure)
    others = re.search(r"all other parts together +([+][\d.]+)$", text, re.MULTILINE)
    total = re.search(r"Paris minus London +([\d.]+)$", text, re.MULTILINE)
    assert others is not None
    assert total is not None
    assert rounds_to(sum(each.logits for each in ranked[4:]), others[1])
    assert rounds_to(split.logit, total[1])
    assert sum(each.logits < 0 for each in ranked) == answer("why", "paris-london")
    assert sum(-0.1 < each.logits < 0 for each in ranked) > 65  # "most by less than 0.1"
    from_country = session.sources(last, 23, 4, *pair)
    assert from_country[3] / sum(from_country) > 0.95  # "nearly all of this"


def test_where_attribution_and_occlusion_disagree(exact_model: LanguageModel) -> None:
    session = Session(exact_model, exact_model.tokenizer.encode(CAPITAL))
    last = len(session) - 1
    pair = (token_id(exact_model, "␣Paris"), token_id(exact_model, "␣London"))
    layers = range(exact_model.network.config.layers)
    attributed = sum(session.sources(last, layer, None, *pair)[1] for layer in layers)
    said = plain_numbers(body("why", "occlusion"))
    figures = re.search(
        r"lowers the difference .* by ([\d.]+)\. .* falls from ([\d.]+) to ([\d.]+)\.", said
    )
    assert figures is not None
    whole = session.attribution(last, *pair).logit
    lost = session.occlusion(last, [1], *pair)[0].logits
    for value, figure in zip((-attributed, whole, whole - lost), figures.groups(), strict=True):
        assert rounds_to(value, figure)


@pytest.fixture(scope="module")
def countries(exact_model: LanguageModel) -> Recording:
    """The runs on France and on Italy."""
    encode = exact_model.tokenizer.encode
    recording = Recording(exact_model.network, [encode(CAPITAL), encode("The capital of Italy is")])
    recording.advance(60)
    return recording


def patched(
    model: LanguageModel,
    countries: Recording,
    replacement: Activations,
    columns: list[Column],
) -> list[list[tuple[float, float]]]:
    """Return how far each patch moves the answer, in percent, and the probability of Paris."""
    answers = (token_id(model, "␣Paris"), token_id(model, "␣Rome"))
    a, b = outcomes(torch.stack([countries.logits(text) for text in (0, 1)]), *answers)
    runs = PatchedRuns(countries, replacement, columns, answers)
    runs.advance(60)
    apart = (b.difference - a.difference) / 100
    return [
        [((each.difference - a.difference) / apart, 100 * each.first) for each in column]
        for column in runs.results
    ]


def columns(component: Component, source: Source, heads: int = 0) -> list[Column]:
    """Return the columns of all positions or, with `heads`, of all heads at the last position."""
    if heads:
        return [Column(component, source, 4, head) for head in range(heads)]
    return [Column(component, source, position) for position in range(5)]


def test_patching_france_with_italy(exact_model: LanguageModel, countries: Recording) -> None:
    italy, heads = countries.activations(1), exact_model.network.config.heads
    found = patched(exact_model, countries, italy, columns("residual", "other"))
    text = body("why", "patch-map").replace("\u2212", "-")
    header = re.search(r"^ after block +(.*)$", text, re.MULTILINE)
    assert header is not None
    blocks = [int(block) for block in header[1].split()]
    for label, positions in (("The … ␣of", (0, 1, 2)), ("␣France", (3,)), ("␣is", (4,))):
        row = re.search(rf"^ {label} +([-\d ]+)$", text, re.MULTILINE)
        assert row is not None
        for block, figure in zip(blocks, row[1].split(), strict=True):
            for position in positions:
                moved = found[position][block - 1][0]
                assert moved == pytest.approx(int(figure), abs=0.51), (label, block)
    assert found[3][22][0] > 90 > 10 > found[3][23][0]
    assert found[4][23][0] > 90 > 10 > found[4][22][0]
    of_heads = patched(exact_model, countries, italy, columns("head", "other", heads))
    moved_by = [column[23][0] for column in of_heads]
    assert moved_by.index(max(moved_by)) == 4
    assert rounds_to(max(moved_by), f"{answer('why', 'patch-map'):g}")


def test_removing_the_output_of_a_head(exact_model: LanguageModel, countries: Recording) -> None:
    network, encode = exact_model.network, exact_model.tokenizer.encode
    heads = network.config.heads
    texts = [encode(text) for text in NEUTRAL]
    shortest = min(map(len, texts))
    neutral = Recording(network, [ids[:shortest] for ids in texts])
    neutral.advance(60)
    zeros = countries.activations(1).zeros()
    zero = patched(exact_model, countries, zeros, columns("head", "zero", heads))
    mean = patched(exact_model, countries, neutral.mean(5), columns("head", "mean", heads))
    said = re.search(
        r"falls from 77\.3 % to ([\d.]+) % .* the result is ([\d.]+) %",
        plain_numbers(body("why", "ablation")),
    )
    assert said is not None
    assert rounds_to(zero[4][23][1], said[1])
    assert rounds_to(mean[4][23][1], said[2])


def test_steering_from_praise_to_blame(exact_model: LanguageModel) -> None:
    network, pair = exact_model.network, steering_pairs.pairs()[0]
    layer = 16

    def stream(text: str) -> torch.Tensor:
        passage = ForwardPass(network, text_ids(exact_model, text))
        passage.advance(60)
        return passage.streams_at(-1)[1:][layer]

    lists = (pair.first_texts, pair.second_texts)
    vector = mean_difference(*([stream(text) for text in texts] for texts in lists))
    words = [
        [token_id(exact_model, f"␣{word}") for word in each]
        for each in (pair.first_words, pair.second_words)
    ]
    assert list(map(len, words)) == [10, 10]
    neutral = text_ids(exact_model, steering_pairs.NEUTRAL)

    def effect(strength: float) -> list[float]:
        """Return the percentages of praise and blame, and the perplexity of neutral text."""
        changed = partial(steered_by, Steering(vector, layer, strength), network)
        after, other = (
            ForwardPass(network, ids, changed)
            for ids in (text_ids(exact_model, pair.prompt), neutral)
        )
        after.advance(60)
        other.advance(60)
        with torch.inference_mode():
            probabilities = network.lens(after.stream[-1]).softmax(dim=-1)
        bits = next_token_surprisals(network, other.stream, neutral)
        return [*(100 * float(probabilities[ids].sum()) for ids in words), 2 ** float(bits.mean())]

    text = body("why", "steer-cost").replace("\u2212", "-")
    rows = re.findall(r"^\| (-?\d) \| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) \|$", text, re.MULTILINE)
    assert [int(row[0]) for row in rows] == [-3, -1, 0, 1, 3]
    for strength, *figures in rows:
        for value, figure in zip(effect(float(strength)), figures, strict=True):
            assert rounds_to(value, figure), (strength, figure, value)
    assert str(answer("why", "steer-idea")) in rows[1]
    assert "`We watched the new film last night, and it was`" in body("why", "steer-idea").replace(
        "\n", " "
    )
    assert pair.prompt == "We watched the new film last night, and it was"
    session = Session(
        exact_model, text_ids(exact_model, pair.prompt), steering=Steering(vector, layer, -3)
    )
    written = b""
    for _ in range(12):
        id_ = int(session.logits(len(session)).argmax())
        session.append([id_])
        written += exact_model.tokenizer.token(id_).data
    quoted = re.search(r"the model writes “(.*?)”", plain_numbers(text))
    assert quoted is not None
    assert written.decode().strip().startswith(quoted[1])


def test_probes_and_their_control_tasks(exact_model: LanguageModel) -> None:
    def right(of: str, *, control: bool) -> list[int]:
        """Return the number of right held-out sentences for each layer."""
        found = examples(of)
        ids = [exact_model.tokenizer.encode(each.text) for each in found]
        vectors = []
        for batch in in_batches([len(each) for each in ids], 256):
            texts = ManyTexts(exact_model.network, [ids[at] for at in batch])
            texts.advance(60)
            vectors.append(texts.last_vectors())
        x = torch.cat(vectors, dim=1)
        labels = torch.tensor(control_labels(of, 0) if control else [each.label for each in found])
        new = torch.tensor([each.held_out for each in found])
        scores = train(x[:, ~new], labels[~new]).scores(x[:, new])
        return [int(count) for count in ((scores > 0) == labels[new]).sum(dim=1)]

    number_, control = (right("number", control=each) for each in (False, True))
    text = body("why", "control-task")
    rows = re.findall(r"^\| (embeddings|after block \d+) \| (\d+) \| (\d+) \|$", text, re.M)
    assert len(rows) == 3
    for name, of_number, of_control in rows:
        layer = int(name.removeprefix("after block ")) if name[-1].isdigit() else 0
        assert (number_[layer], control[layer]) == (int(of_number), int(of_control))
    assert right("sentiment", control=False)[0] == answer("why", "control-task")


def test_directions_that_are_used_or_not(exact_model: LanguageModel, tmp_path: Path) -> None:
    """Compare the directions of two probes with random directions, as the lab does."""
    backend = make_backend("probe", Tools(lambda: exact_model, lambda: None, tmp_path))

    def added(of: Name, layer: int, strength: float) -> Added:
        question = Add(of, SETS[of].prompt, layer, strength)
        while isinstance(found := backend.answer(question), Progress):
            pass
        assert isinstance(found, Added)
        return found

    lesson = shipped_course().lesson("why")
    screen = lesson.screen("probe") if lesson else None
    assert screen is not None
    assert screen.lab is not None
    said = re.search(
        r"rises from (\d+) to (\d+) % \(with a random direction, it falls to (\d+) %\)",
        screen.lab.done,
    )
    assert said is not None
    truth = added("truth", 26, -3)
    for answers, figure in zip(
        (truth.before, truth.after, truth.chance), said.groups(), strict=True
    ):
        assert rounds_to(100 * answers.first, figure)
    assert "after block 27 with strength 2" in screen.lab.done
    number = added("number", 27, 2)
    assert number.before.first < number.before.second
    assert number.after.first > 10 * number.after.second
    assert number.chance.first < number.chance.second / 2
    assert max(number.rows, key=lambda row: row.after).token.data == b" are"


# --- made-up answers ------------------------------------------------------------------------------


def test_the_certainty_of_capitals_in_a_chat(exact_model: LanguageModel) -> None:
    """Ask for the capital of each country that the lesson measures, as a chat does."""
    lesson = shipped_course().lesson("made-up")
    screen = lesson.screen("capitals") if lesson else None
    question = lesson.question("made-up-certainty-of-what") if lesson else None
    assert screen is not None
    assert question is not None
    block = max(
        (each for each in screen.measured if isinstance(each, Cases)),
        key=lambda each: len(each.cases),
    )
    said = re.search(
        r"for (\d+) capitals in the chat, (\d+) answers began .* (\d+) % on average, and (\d+) %"
        r" named .* had (\d+) %, and (\d+) % of",
        " ".join(question.why.split()),
    )
    assert said is not None
    certainties, named, first, first_right = [], [], [], []
    for country, names in block.cases.items():
        ask = ChatMessage("user", f"What is the capital of {country}?")
        tokens = greedily(exact_model, chat_ids(exact_model, [ask]))
        text = b"".join(row.token.data for row in tokens[:-1]).decode("utf-8", "replace")
        opening = f"The capital of {country} is"
        if not text.startswith(opening):
            continue
        accepted = (names,) if isinstance(names, str) else names
        lengths = accumulate(len(row.token.data) for row in tokens)
        of_name = next(at for at, end in enumerate(lengths, 1) if end >= len(opening.encode()))
        begins = tokens[of_name].token.data.decode("utf-8", "replace").strip().casefold()
        certainties.append(fmean(math.log(row.probability) for row in tokens))
        named.append(verdict(text.strip(), accepted) == "right")
        first.append(tokens[of_name].probability)
        first_right.append(any(name.casefold().startswith(begins) for name in accepted))
    assert len(block.cases) == int(said[1])
    assert len(named) == int(said[2])
    for value, figure in zip(
        (fmean(map(math.exp, certainties)), fmean(named), fmean(first), fmean(first_right)),
        said.groups()[2:],
        strict=True,
    ):
        assert rounds_to(100 * value, figure), (value, figure)


def greedily(model: LanguageModel, ids: list[int]) -> list[Row]:
    """Decode greedily until the end, a line break, or 32 tokens."""
    session, rows = Session(model, ids), list[Row]()
    while len(rows) < 32:
        (row,) = session.distribution(len(session), PLAIN, seed=0, top=1).rows
        session.append([row.token.id])
        rows.append(row)
        if session.ended or b"\n" in row.token.data:
            break
    return rows

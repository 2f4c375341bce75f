"""Test figures in the lessons that a `numbers` block cannot recompute.

These are ids and ranks of merges, cosines between rows of the embedding, and attention weights.
They are read from the lessons' own text.
"""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from tutor.authoring.attempt import token_id
from tutor.authoring.rounding import rounds_to
from tutor.course.catalogue import load_course
from tutor.lm.session import Session

if TYPE_CHECKING:
    from tutor.lm.language_model import LanguageModel

pytestmark = pytest.mark.slow


def body(lesson_id: str, screen_id: str) -> str:
    lesson = load_course().lesson(lesson_id)
    screen = lesson.screen(screen_id) if lesson else None
    assert screen is not None
    return screen.body


def number(figure: str) -> int:
    return int(figure.replace(",", ""))


# --- tokens -------------------------------------------------------------------------------------


def test_ids_of_tokens(exact_model: LanguageModel) -> None:
    lesson = load_course().lesson("tokens")
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
        for neighbor, figure in re.findall(r"(\S+) (\d\.\d\d)", neighbors):
            value = cosine(exact_model, token, neighbor)
            assert rounds_to(value, figure), (token, neighbor, figure, value)


def test_cosines_of_pairs(exact_model: LanguageModel) -> None:
    text = body("embeddings", "caution")
    pairs = re.findall(r"^ ([- ]\d\.\d\d) (␣\S+) +(␣\S+) ", text, re.MULTILINE)
    assert len(pairs) >= 3
    for figure, one, other in pairs:
        value = cosine(exact_model, one, other)
        assert rounds_to(value, figure), (one, other, figure, value)


def test_two_tokens_at_random(exact_model: LanguageModel) -> None:
    """The mean over all pairs is the squared length of the mean row, with normalized rows."""
    import torch

    size = exact_model.network.config.vocabulary_size
    rows = exact_model.network.embedding(torch.arange(size)).float()
    mean = torch.nn.functional.normalize(rows, dim=1).mean(dim=0)
    figure = re.search(r"^ +(\d\.\d\d) two at random", body("embeddings", "caution"), re.MULTILINE)
    assert figure is not None
    assert float(mean @ mean) == pytest.approx(float(figure[1]), abs=0.01)


# --- attention ----------------------------------------------------------------------------------

CAT = "The cat sat on the mat because it"
MARY = "When Mary and John went to the store, John gave a drink to"

SHARES = [
    # The screen, text, layer, head, attended token, and the text of the screen.
    ("heads", CAT, 14, 9, "␣cat", "␣cat 80 %"),
    ("heads", CAT, 14, 9, "␣mat", "␣mat 5 %"),
    ("heads", MARY, 25, 5, "␣Mary", "␣Mary 81 %"),
    ("heads", MARY, 25, 5, "␣John", "␣John 8 %"),
    ("sink", CAT, 14, 9, "␣cat", "␣cat  80 %"),
    ("sink", CAT, 14, 9, "The", "The    8 %"),
    ("sink", CAT, 25, 9, "The", "The   98 %"),
]


@pytest.mark.parametrize(("screen", "text", "layer", "head", "token", "said"), SHARES)
def test_attention_weights(
    exact_model: LanguageModel,
    screen: str,
    text: str,
    layer: int,
    head: int,
    token: str,
    said: str,
) -> None:
    assert said in " ".join(
        [body("attention", screen), body("attention", screen).replace("\n", " ")]
    )
    session = Session(exact_model, exact_model.tokenizer.encode(text))
    weights = session.xray(len(session) - 1).weights(layer - 1, head - 1)
    wanted = token_id(exact_model, token)
    shares = [share for share, id_ in zip(weights, session.ids, strict=True) if id_ == wanted]
    figure = re.search(r"(\d+) %", said)
    assert figure is not None
    one_or_all = [*shares, *(sum(pair) for pair in combinations(shares, 2))]
    assert any(rounds_to(100 * share, figure[1]) for share in one_or_all), shares


def test_the_first_token_gets_half_of_the_attention(exact_model: LanguageModel) -> None:
    session = Session(
        exact_model, exact_model.tokenizer.encode("The cat sat on the mat because it was tired.")
    )
    xray = session.xray(len(session) - 1)
    heads = [
        xray.weights(layer, head)[0] for layer in range(xray.layers) for head in range(xray.heads)
    ]
    assert "49 %, on average over all 270 heads" in body("attention", "sink").replace("`The` ", "")
    assert len(heads) == 270
    assert 100 * sum(heads) / len(heads) == pytest.approx(49, abs=0.5)

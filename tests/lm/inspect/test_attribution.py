"""Test attribution against the weight matrices, computed by hand with PyTorch's own hooks."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.tiny_model import CONFIG, tiny_model
from tutor.errors import TextError
from tutor.lm.attribution import MOST_REMOVED, Part
from tutor.lm.distribution import PLAIN
from tutor.lm.language_model import LanguageModel
from tutor.lm.session import Session

IDS = [5, 80, 12, 299, 7, 7]


@pytest.fixture
def model() -> Any:
    return tiny_model()


def by_hand(network: Any, target: int) -> tuple[float, list[list[float]], list[float]]:
    """Return the contributions of the embedding, the heads and the feed-forward networks."""
    answers: list[torch.Tensor] = []
    feed_forward: list[torch.Tensor] = []
    final: list[torch.Tensor] = []
    hooks = [network.norm.register_forward_pre_hook(lambda _, inputs: final.append(inputs[0][-1]))]
    for block in network.blocks:
        output = block.attention.output
        hooks += [
            output.register_forward_pre_hook(lambda _, inputs: answers.append(inputs[0][-1])),
            block.feed_forward.register_forward_hook(
                lambda _, inputs, added: feed_forward.append(added[-1])
            ),
        ]
    network(torch.tensor(IDS))
    for hook in hooks:
        hook.remove()
    root_mean_square = (final[0].square().mean() + CONFIG.norm_epsilon).sqrt()
    direction = network.head.weight[target] * network.norm.weight / root_mean_square
    heads = [
        [
            float(part @ matrix.T @ direction)
            for part, matrix in zip(
                answer.split(CONFIG.head_size),
                block.attention.output.weight.split(CONFIG.head_size, dim=1),
                strict=True,
            )
        ]
        for answer, block in zip(answers, network.blocks, strict=True)
    ]
    embedding = float(network.embedding.weight[IDS[-1]] @ direction)
    return embedding, heads, [float(added @ direction) for added in feed_forward]


@pytest.mark.parametrize("target", [7, 100])
def test_the_contributions_are_those_of_the_weight_matrices(model: Any, target: int) -> None:
    found = Session(model, IDS).attribution(len(IDS) - 1, target)
    embedding, heads, feed_forward = by_hand(model.network, target)
    assert found.embedding == pytest.approx(embedding, abs=1e-5)
    assert found.feed_forward == pytest.approx(feed_forward, abs=1e-5)
    for mine, theirs in zip(found.heads, heads, strict=True):
        assert mine == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize("position", range(len(IDS)))
@pytest.mark.parametrize("against", [None, 3])
def test_the_contributions_add_up_to_the_logit(
    model: Any, position: int, against: int | None
) -> None:
    session = Session(model, IDS)
    found = session.attribution(position, against=against)
    logits = session.logits(position + 1)
    target = int(logits.argmax())
    assert found.target.id == target
    assert found.logit == pytest.approx(
        float(logits[target] - (0 if against is None else logits[against])), abs=1e-5
    )
    total = found.embedding + sum(map(sum, found.heads)) + sum(found.feed_forward)
    assert total == pytest.approx(found.logit, abs=1e-4)


def test_the_difference_of_two_tokens_is_that_of_their_contributions(model: Any) -> None:
    session, last = Session(model, IDS), len(IDS) - 1
    difference = session.attribution(last, 7, 100)
    one, other = session.attribution(last, 7), session.attribution(last, 100)
    assert difference.against == other.target
    for between, a, b in zip(difference.heads, one.heads, other.heads, strict=True):
        assert between == pytest.approx([x - y for x, y in zip(a, b, strict=True)], abs=1e-5)


def test_every_part_is_listed_once_with_the_largest_first(model: Any) -> None:
    found = Session(model, IDS).attribution(len(IDS) - 1).contributions
    parts = [each.part for each in found]
    assert len(set(parts)) == len(parts) == 1 + CONFIG.layers * (CONFIG.heads + 1)
    assert Part() in parts
    sizes = [abs(each.logits) for each in found]
    assert sizes == sorted(sizes, reverse=True)


def test_attribution_leaves_the_session_as_it_was(model: Any) -> None:
    session = Session(model, IDS)
    before = session.distribution(len(IDS), PLAIN, seed=0, top=5)
    session.attribution(2)
    assert session.distribution(len(IDS), PLAIN, seed=0, top=5) == before


def test_occlusion_is_the_difference_to_the_text_without_the_token(model: Any) -> None:
    session = Session(model, IDS)
    found = session.occlusion(len(IDS) - 1, range(len(IDS) - 1), 7, 100)
    assert [each.token.id for each in found] == IDS[:-1]
    assert session.ids == tuple(IDS)

    def logits(ids: list[int]) -> torch.Tensor:
        return Session(model, ids).logits(len(ids))

    def difference(ids: list[int]) -> float:
        return float(logits(ids)[7] - logits(ids)[100])

    for index, each in enumerate(found):
        without = IDS[:index] + IDS[index + 1 :]
        assert each.logits == pytest.approx(difference(IDS) - difference(without), abs=1e-5)
        assert each.probability == pytest.approx(float(logits(without).softmax(-1)[7]), abs=1e-6)


@pytest.mark.parametrize("index", [-1, 3, 4])
def test_only_tokens_before_the_prediction_can_be_removed(model: Any, index: int) -> None:
    with pytest.raises(TextError, match=f"Token {index} can't be removed"):
        Session(model, IDS).occlusion(3, [0, index])


def test_a_request_can_remove_only_a_few_tokens(model: Any) -> None:
    session = Session(model, IDS)
    assert len(session.occlusion(3, [0] * MOST_REMOVED)) == MOST_REMOVED
    with pytest.raises(TextError, match="in one request"):
        session.occlusion(3, [0] * (MOST_REMOVED + 1))


def test_the_prediction_in_the_middle_of_a_text_ignores_what_follows(model: Any) -> None:
    whole, short = Session(model, IDS), Session(model, IDS[:4])
    for mine, theirs in zip(whole.occlusion(3, [0, 2]), short.occlusion(3, [0, 2]), strict=True):
        assert mine.logits == pytest.approx(theirs.logits, abs=1e-5)
    assert whole.sources(3, 1, 2) == pytest.approx(short.sources(3, 1, 2), abs=1e-5)


def test_removing_a_token_processes_only_the_tokens_after_it(model: Any) -> None:
    session = Session(model, IDS)
    session.logits(len(IDS))
    before = model.network.tokens_read
    session.occlusion(len(IDS) - 1, [3])
    assert model.network.tokens_read - before == len(IDS) - 4


@pytest.mark.parametrize("position", [0, 3, len(IDS) - 1])
@pytest.mark.parametrize("against", [None, 3])
def test_the_sources_of_a_head_add_up_to_its_contribution(
    model: Any, position: int, against: int | None
) -> None:
    session = Session(model, IDS)
    found = session.attribution(position, 7, against)
    for layer, heads in enumerate(found.heads):
        for head, logits in enumerate(heads):
            sources = session.sources(position, layer, head, 7, against)
            assert len(sources) == position + 1
            assert sum(sources) == pytest.approx(logits, abs=1e-5)


def test_without_a_head_the_sources_of_a_layer_are_added_up(model: Any) -> None:
    session = Session(model, IDS)
    for layer in range(CONFIG.layers):
        heads = [session.sources(4, layer, head, 7, 3) for head in range(CONFIG.heads)]
        expected = [sum(amounts) for amounts in zip(*heads, strict=True)]
        assert session.sources(4, layer, None, 7, 3) == pytest.approx(expected, abs=1e-5)


def test_the_sources_are_those_of_the_weight_matrices(model: Any) -> None:
    """Queries, keys and values come from hooks; rotation and softmax are computed here."""
    network, layer, head = model.network, 1, 3
    projected: list[torch.Tensor] = []
    final: list[torch.Tensor] = []
    attention = network.blocks[layer].attention
    hooks = [
        network.norm.register_forward_pre_hook(lambda _, inputs: final.append(inputs[0][-1])),
        attention.query_key_value.register_forward_hook(
            lambda _, inputs, output: projected.append(output)
        ),
    ]
    network(torch.tensor(IDS))
    for hook in hooks:
        hook.remove()
    size, shared = CONFIG.head_size, head // (CONFIG.heads // CONFIG.key_value_heads)
    q, k, v = projected[0].split(
        [CONFIG.heads * size, *[CONFIG.key_value_heads * size] * 2], dim=-1
    )
    at = torch.arange(len(IDS))[:, None]
    angles = at * CONFIG.rope_base ** (-torch.arange(0, size, 2) / size)

    def rotated(x: torch.Tensor) -> torch.Tensor:
        a, b = x[:, ::2], x[:, 1::2]
        pairs = (a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos())
        return torch.stack(pairs, dim=-1).flatten(1)

    query = rotated(q[:, head * size : (head + 1) * size])[-1]
    keys = rotated(k[:, shared * size : (shared + 1) * size])
    weights = (keys @ query / size**0.5).softmax(dim=0)
    values = v[:, shared * size : (shared + 1) * size]
    root_mean_square = (final[0].square().mean() + CONFIG.norm_epsilon).sqrt()
    direction = network.head.weight[7] * network.norm.weight / root_mean_square
    matrix = attention.output.weight[:, head * size : (head + 1) * size]
    expected = (weights[:, None] * values) @ matrix.T @ direction
    found = Session(model, IDS).sources(len(IDS) - 1, layer, head, 7)
    assert found == pytest.approx(expected.tolist(), abs=1e-5)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda session: session.attribution(99), "no token 99"),
        (lambda session: session.attribution(0, 300), "Token 300 is not in the vocabulary"),
        (lambda session: session.attribution(0, 1, -1), "Token -1 is not in the vocabulary"),
        (lambda session: session.sources(0, 3, 0), "no layer 3, head 0"),
        (lambda session: session.sources(0, 0, 4), "no layer 0, head 4"),
        (lambda session: session.occlusion(-1, [0]), "no token -1"),
    ],
)
def test_wrong_requests_are_refused(model: Any, ask: Any, message: str) -> None:
    with pytest.raises(TextError, match=message):
        ask(Session(model, IDS))


def test_a_text_of_one_token_has_nothing_to_remove(model: Any) -> None:
    assert Session(model, [5]).occlusion(0, []) == ()


def test_the_default_model_in_its_own_number_format(language_model: LanguageModel) -> None:
    """The 4-bit kernel rounds the output of each head, but the parts still add up to the logit."""
    encode = language_model.tokenizer.encode
    session = Session(language_model, encode("The capital of France is"))
    (paris,), (london,) = encode(" Paris"), encode(" London")
    found = session.attribution(len(session) - 1, paris, london)
    total = found.embedding + sum(map(sum, found.heads)) + sum(found.feed_forward)
    assert total == pytest.approx(found.logit, abs=1e-3)
    assert found.contributions[0].part == Part(23, 4)
    sources = session.sources(len(session) - 1, 23, 4, paris, london)
    assert sum(sources) == pytest.approx(found.heads[23][4], abs=1e-3)
    assert max(range(len(sources)), key=sources.__getitem__) == encode(
        "The capital of France is"
    ).index(encode(" France")[0])

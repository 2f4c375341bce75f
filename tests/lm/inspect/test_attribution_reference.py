"""Test attribution against `transformers` with the same weights and plain PyTorch hooks.

The tolerance is 1e-5 logits. None of the code under test is used for the expected numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import torch

from tests.tiny_model import CONFIG, tiny_model, write_tiny_folder
from tutor.lm.session import Session
from tutor.lm.training.train import round_to_bfloat16

if TYPE_CHECKING:
    from pathlib import Path

IDS = [5, 80, 12, 299, 7, 7, 41, 3]
LAST = len(IDS) - 1
TARGET, AGAINST = 7, 100


class Recorded(NamedTuple):
    """The tensors that hooks have recorded in one forward pass, by layer, for all positions."""

    heads: list[torch.Tensor]
    values: list[torch.Tensor]
    feed_forward: list[torch.Tensor]
    attention: list[torch.Tensor]
    direction: torch.Tensor


@pytest.fixture
def theirs(tmp_path: Path) -> Any:
    transformers = pytest.importorskip("transformers")
    return transformers.AutoModelForCausalLM.from_pretrained(
        write_tiny_folder(tmp_path / "tiny"), dtype=torch.float32, attn_implementation="eager"
    )


def mine() -> Session:
    """Return a session with the weights that `transformers` reads, which are stored in bfloat16."""
    model = tiny_model()
    round_to_bfloat16(model.network)
    return Session(model, IDS)


@torch.no_grad()
def recorded(theirs: Any) -> Recorded:
    heads: list[torch.Tensor] = []
    values: list[torch.Tensor] = []
    feed_forward: list[torch.Tensor] = []
    stream: list[torch.Tensor] = []
    for layer in theirs.model.layers:
        layer.self_attn.o_proj.register_forward_pre_hook(lambda _, args: heads.append(args[0][0]))
        layer.self_attn.v_proj.register_forward_hook(lambda _, args, out: values.append(out[0]))
        layer.mlp.register_forward_hook(lambda _, args, out: feed_forward.append(out[0]))
    theirs.model.norm.register_forward_pre_hook(lambda _, args: stream.append(args[0][0, -1]))
    attention = theirs(torch.tensor([IDS]), output_attentions=True).attentions
    size = (stream[0].square().mean() + CONFIG.norm_epsilon).sqrt()
    rows = theirs.lm_head.weight
    direction = (rows[TARGET] - rows[AGAINST]) * theirs.model.norm.weight / size
    return Recorded(heads, values, feed_forward, [each[0] for each in attention], direction)


@torch.no_grad()
def test_the_contributions_of_all_parts(theirs: Any) -> None:
    expected = recorded(theirs)
    found = mine().attribution(LAST, TARGET, AGAINST)
    embedding = theirs.model.embed_tokens.weight[IDS[-1]] @ expected.direction
    assert found.embedding == pytest.approx(float(embedding), abs=1e-5)
    for layer, block in enumerate(theirs.model.layers):
        forward = expected.feed_forward[layer][-1] @ expected.direction
        assert found.feed_forward[layer] == pytest.approx(float(forward), abs=1e-5)
        for head in range(CONFIG.heads):
            part = slice(head * CONFIG.head_size, (head + 1) * CONFIG.head_size)
            added = block.self_attn.o_proj.weight[:, part] @ expected.heads[layer][-1, part]
            contribution = float(added @ expected.direction)
            assert found.heads[layer][head] == pytest.approx(contribution, abs=1e-5)


@torch.no_grad()
def test_the_tokens_that_every_head_takes_its_contribution_from(theirs: Any) -> None:
    expected, session = recorded(theirs), mine()
    for layer, block in enumerate(theirs.model.layers):
        for head in range(CONFIG.heads):
            part = slice(head * CONFIG.head_size, (head + 1) * CONFIG.head_size)
            shared = head // (CONFIG.heads // CONFIG.key_value_heads)
            own = slice(shared * CONFIG.head_size, (shared + 1) * CONFIG.head_size)
            weighted = expected.attention[layer][head, -1][:, None] * expected.values[layer][:, own]
            logits = weighted @ block.self_attn.o_proj.weight[:, part].T @ expected.direction
            found = session.sources(LAST, layer, head, TARGET, AGAINST)
            assert found == pytest.approx(logits.tolist(), abs=1e-5)


@torch.no_grad()
def test_the_effect_of_removing_every_token(theirs: Any) -> None:
    def difference(ids: list[int]) -> float:
        logits = theirs(torch.tensor([ids])).logits[0, -1]
        return float(logits[TARGET] - logits[AGAINST])

    found = mine().occlusion(LAST, range(LAST), TARGET, AGAINST)
    for index, each in enumerate(found):
        lost = difference(IDS) - difference(IDS[:index] + IDS[index + 1 :])
        assert each.logits == pytest.approx(lost, abs=1e-5)

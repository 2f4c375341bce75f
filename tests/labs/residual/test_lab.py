"""Test the residual stream lab: the parts add up to the stream, and to the logit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.labs.lab_backend import at_last, backend, done, small_model
from tests.lm.architectures.folders import write_folder
from tutor.labs.kit.actions import EditText, MoveFocus, ShowView
from tutor.labs.kit.backend import Backend
from tutor.labs.residual import lab as residual
from tutor.labs.residual.lab import MOST_TOKENS, Contributions, HeadContributions, State, Stream
from tutor.labs.residual.plain import describe
from tutor.lm.chat import text_ids
from tutor.lm.inspect.contributions import Parts, of_heads, recorded, to_logit
from tutor.lm.load import load_model
from tutor.lm.network import Trace
from tutor.models.find import from_path

TEXT = "The little bird sat in the tree and sang."


def at(there: Backend, question: residual.Question) -> residual.Answer:
    answer: residual.Answer = at_last(there, question)
    return answer


@torch.inference_mode()
def test_the_parts_add_up_to_the_residual_stream() -> None:
    network, ids = small_model().network, text_ids(small_model(), TEXT)
    parts, trace = Parts(), Trace()
    with recorded(network, parts):
        network(torch.tensor(ids), None, trace)
    total = trace.residuals[0] + sum(parts.attention) + sum(parts.feed_forward)
    torch.testing.assert_close(total, trace.residuals[-1], rtol=1e-4, atol=1e-3)
    for layer in range(network.config.layers):
        of_each = of_heads(network, layer, parts.heads[layer][-1])
        torch.testing.assert_close(of_each.sum(0), parts.attention[layer][-1], rtol=1e-2, atol=1e-2)


@torch.inference_mode()
def test_the_contributions_of_all_terms_add_up_to_the_logit() -> None:
    network, ids = small_model().network, text_ids(small_model(), TEXT)
    trace = Trace()
    network(torch.tensor(ids), None, trace)
    stream = trace.residuals[-1][-1]
    terms = torch.stack([after[-1] for after in trace.residuals]).diff(dim=0)
    terms = torch.cat([trace.residuals[0][-1:], terms])
    logits = network.lens(stream)
    for token in (0, 7, int(logits.argmax())):
        added = to_logit(network, stream, terms, token)
        assert float(added.sum()) == pytest.approx(float(logits[token]), abs=0.05)


def test_the_lengths_are_those_of_the_stream(tmp_path: Path) -> None:
    found = at(backend("residual", tmp_path), residual.Lengths(TEXT))
    assert isinstance(found, Stream)
    model, trace = small_model(), Trace()
    with torch.inference_mode():
        model.network(torch.tensor([token.id for token in found.tokens]), None, trace)
    for layer, after in enumerate(trace.residuals):
        lengths = [found.stream[token][layer] for token in range(len(found.tokens))]
        assert lengths == pytest.approx(after.norm(dim=-1).tolist(), rel=1e-3)
    assert found.blocks == model.network.config.layers


def test_the_heads_add_up_to_the_attention_of_their_block(tmp_path: Path) -> None:
    there = backend("residual", tmp_path)
    found = at(there, residual.Logit(TEXT, 3))
    assert isinstance(found, Contributions)
    total = found.embedding + sum(found.attention) + sum(found.feed_forward)
    assert total == pytest.approx(found.logit, abs=0.05)
    for block in range(len(found.attention)):
        heads = at(there, residual.Heads(TEXT, 3, block))
        assert isinstance(heads, HeadContributions)
        assert sum(heads.heads) == pytest.approx(found.attention[block], abs=0.05)


def test_the_focus_stays_in_the_network(tmp_path: Path) -> None:
    there = backend("residual", tmp_path)
    state: State = done("residual", there, MoveFocus(999, "block"), MoveFocus(-999, "token"))
    assert state.stream is not None
    assert state.block == state.stream.blocks - 1
    assert state.position == 0
    assert done("residual", there).position == len(state.stream.tokens) - 1


def test_a_new_text_forgets_what_is_known(tmp_path: Path) -> None:
    there = backend("residual", tmp_path)
    state = done("residual", there, ShowView("logit"), EditText("a b " * 40))
    assert len(state.stream.tokens) == MOST_TOKENS
    assert state.stream.left_out > 0
    assert list(state.contributions) == [MOST_TOKENS - 1]


def test_goals_are_about_the_block_in_focus() -> None:
    token = small_model().tokenizer.token(9)
    stream = Stream((token,), 0, 2, ((1.0, 2.0, 200.0),), ((1.0, 1.0),), ((1.0, 1.0),))
    found = Contributions(token, 0.5, 3.0, 0.0, (2.0, 1.0), (0.5, -0.5))
    heads = {(0, 0): HeadContributions((1.5, 0.5)), (0, 1): HeadContributions((0.6, 0.4))}
    reached = residual.LAB.reached

    def state(view: residual.View, block: int) -> State:
        return State(view=view, block=block, stream=stream, contributions={0: found}, by_head=heads)

    assert reached(state("length", 0)) == frozenset()
    assert reached(state("length", 1)) == {"growth"}
    assert reached(state("logit", 0)) == {"strongest-attention", "strong-head"}
    assert reached(state("logit", 1)) == {"growth", "against"}


@pytest.mark.parametrize(
    ("case", "biased"),
    [("gpt2", True), ("gpt-neox", True), ("stablelm", True), ("llama", False), ("mixtral", False)],
)
def test_all_parts_and_the_bias_add_up_to_the_logit(
    tmp_path: Path, case: str, biased: bool
) -> None:
    model = load_model(from_path(write_folder(tmp_path / "it", case)))
    there = backend("residual", tmp_path, model)
    state = done("residual", there, EditText("A bird sang."), ShowView("logit"))
    for position, found in state.contributions.items():
        assert (found.bias != 0) == biased
        total = found.embedding + sum(found.attention) + sum(found.feed_forward) + found.bias
        assert total == pytest.approx(found.logit, abs=2e-3), position
    said = "\n".join(describe(state)["logit"])
    assert ("The bias of the final norm adds" in said) == biased

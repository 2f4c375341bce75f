"""Test that the recorded run of lesson 7 equals the code's, by repeating its beginning."""

from __future__ import annotations

import msgspec
import pytest
import torch
from tokenizers import Tokenizer
from torch import Tensor

from tools.overfit import SETTINGS, SHOWN, TEXT, TOKENIZER, Record, overfit
from tutor import paths
from tutor.lm.network import Transformer
from tutor.lm.training.train import PROMPT, greedy_continuation, initialize, read_documents


@pytest.mark.slow
def test_the_record_is_from_this_code() -> None:
    """Run 20 steps, which take about ten seconds; other processors round differently."""
    recorded = msgspec.json.decode(
        (paths.assets_folder() / "overfit.json").read_bytes(), type=Record
    )
    assert tuple(moment.step for moment in recorded.moments) == SHOWN
    again = overfit(SHOWN[1], report=lambda _line: None)
    for name in ("weights", "training_tokens", "tokens_a_step", "settings"):
        assert getattr(again, name) == getattr(recorded, name)
    for now, then in zip(again.moments, recorded.moments, strict=False):
        assert now.training == pytest.approx(then.training, abs=0.02)
        assert now.held_out == pytest.approx(then.held_out, abs=0.02)
        assert now.says == then.says


@pytest.mark.parametrize("seed", [SETTINGS.seed, SETTINGS.seed + 1, SETTINGS.seed + 2])
def test_an_untrained_network_repeats_the_last_token(seed: int) -> None:
    """Test what lesson 7 says about step 0: 3,072 positions of a text, and three seeds."""
    network, tokenizer = _untrained(seed, tied=True), Tokenizer.from_file(str(TOKENIZER))
    ids = tokenizer.encode("".join(read_documents(TEXT))).ids
    texts = torch.tensor(ids[:3072]).view(-1, SETTINGS.context)
    assert all(torch.equal(_logits(network, text).argmax(dim=-1), text) for text in texts)
    prompt = tokenizer.encode(PROMPT).ids
    last = _logits(network, torch.tensor(prompt))[-1].softmax(dim=0)[prompt[-1]]
    assert 0.0010 < float(last) < 0.0016
    assert greedy_continuation(network, tokenizer, PROMPT, 3) == " is is is"


def test_an_untrained_network_with_an_output_table_of_its_own_writes_a_jumble() -> None:
    network, tokenizer = _untrained(SETTINGS.seed, tied=False), Tokenizer.from_file(str(TOKENIZER))
    assert greedy_continuation(network, tokenizer, PROMPT, 3) == " opposagua have"


def _untrained(seed: int, *, tied: bool) -> Transformer:
    vocabulary = Tokenizer.from_file(str(TOKENIZER)).get_vocab_size()
    network = Transformer(msgspec.structs.replace(SETTINGS.config(vocabulary), tied=tied))
    initialize(network, seed)
    return network


@torch.inference_mode()
def _logits(network: Transformer, ids: Tensor) -> Tensor:
    return network.logits(network(ids))

"""Takes what one head works with out of a forward pass: its queries, keys and values, and what it
makes of them. `tutor.labs.attention_formula.by_hand` does the same sum step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from tutor.labs.attention_formula.lab import MOST_TOKENS, Answer, Question
from tutor.labs.kit.model_backend import ModelBackend
from tutor.labs.kit.sentence_ids import tokens_of
from tutor.lm.inspect.hooks import InputRecorder, block_of, replaced
from tutor.lm.network import Trace, Transformer, rotate, rotations


class HeadVectors(NamedTuple):
    """Of one head, for a text of T tokens. `queries`, `keys`, `values` [T, head_size]: queries and
    keys are turned by their position already. `weights` [T, T] and `answers` [T, head_size] are
    what the network made of them itself."""

    queries: Tensor
    keys: Tensor
    values: Tensor
    weights: Tensor
    answers: Tensor


@torch.inference_mode()
def head_vectors(network: Transformer, ids: Sequence[int], layer: int, head: int) -> HeadVectors:
    """The vectors of head `head` in block `layer`, both counted from 0."""
    config = network.config
    block = block_of(network, layer)
    attention = block.attention
    trace, recorder = Trace(), InputRecorder(attention.output)
    with replaced([(attention, "output", recorder)]):
        network(torch.tensor(ids), None, trace)
    assert recorder.recorded is not None

    # the same steps as in `Attention.forward`, for what comes between
    stream = trace.residuals[layer]  # [T, width], what the block reads
    queries, keys, values = attention.project(block.attention_norm(stream))
    rotation = rotations(config, 0, len(ids)).to(stream.device)
    queries, keys = rotate(queries, rotation), rotate(keys, rotation)
    shared = head // (config.heads // config.key_value_heads)  # several heads share keys, values
    answers = recorder.recorded.unflatten(-1, (config.heads, config.head_size))
    return HeadVectors(
        queries[head], keys[shared], values[shared], trace.attention[layer][head], answers[:, head]
    )


class AttentionFormulaBackend(ModelBackend):
    def answer(self, question: Question) -> Answer:
        """Of a layer or head that this model lacks, the last. Raises `TextError`."""
        config = self._model.network.config
        ids, left_out = tokens_of(self._model, question.text, MOST_TOKENS)
        layer, head = min(question.layer, config.layers - 1), min(question.head, config.heads - 1)
        found = head_vectors(self._model.network, ids, layer, head)
        return Answer(
            tokens=self._model.tokenizer.tokens(ids),
            left_out=left_out,
            layers=config.layers,
            heads=config.heads,
            size=config.head_size,
            **{name: _bytes(each) for name, each in found._asdict().items()},
        )


def _bytes(values: Tensor) -> bytes:
    return values.cpu().float().contiguous().numpy().tobytes()


make_backend = AttentionFormulaBackend

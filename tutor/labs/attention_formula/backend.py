"""Extract one head's vectors from a forward pass: queries, keys, values, weights and outputs.

`tutor.labs.attention_formula.by_hand` computes the same weights and outputs step by step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from tutor.errors import ModelUnsupported
from tutor.labs.attention_formula.lab import MOST_TOKENS, Answer, Question
from tutor.labs.kit.model_backend import ModelBackend
from tutor.labs.kit.sentence_ids import tokens_of
from tutor.language import _
from tutor.lm.inspect.hooks import InputRecorder, block_of, replaced
from tutor.lm.network import Trace, Transformer, rotate, rotations_by_layer


class HeadVectors(NamedTuple):
    """One head's vectors for a text of T tokens.

    Attributes:
        queries: The queries [T, head_size] after rotation.
        keys: The keys [T, head_size] after rotation.
        values: The values [T, head_size].
        weights: The attention weights [T, T] that the network computed.
        answers: The head's outputs [T, head_size] that the network computed.
    """

    queries: Tensor
    keys: Tensor
    values: Tensor
    weights: Tensor
    answers: Tensor


@torch.inference_mode()
def head_vectors(network: Transformer, ids: Sequence[int], layer: int, head: int) -> HeadVectors:
    """Return the vectors of one head. The layer and the head are counted from 0.

    Raises `ModelUnsupported` if the model computes attention differently from the lab.
    """
    config = network.config
    if config.score_cap is not None:
        raise ModelUnsupported(
            _("This model also caps attention scores, which this lab's formula leaves out."),
            "Choose another model.",
        )
    block = block_of(network, layer)
    attention = block.attention
    trace = Trace()
    recorded: list[Tensor] = []
    with replaced([(attention, "output", InputRecorder(attention.output, recorded))]):
        network(torch.tensor(ids), None, trace)

    # Repeat the steps of `Attention.forward`, to get their intermediate results.
    stream = trace.residuals[layer]  # The input to the block, [T, width].
    queries, keys, values = attention.project(block.attention_norm(stream))
    rotation = rotations_by_layer(config, range(len(ids)), stream.device)[layer]
    if rotation is not None:
        queries, keys = rotate(queries, rotation), rotate(keys, rotation)
    # With grouped-query attention, several heads share one key and one value.
    shared = head // (config.heads // config.key_value_heads)
    answers = recorded[0].unflatten(-1, (config.heads, config.head_size))
    return HeadVectors(
        queries[head], keys[shared], values[shared], trace.attention[layer][head], answers[:, head]
    )


class AttentionFormulaBackend(ModelBackend):
    def answer(self, question: Question) -> Answer:
        """Return the vectors of the requested head.

        If the model has fewer layers or heads, the last layer or head is used instead. Raises
        `TextError` if the text is invalid.
        """
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

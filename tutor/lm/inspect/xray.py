"""Record the attention of one token, the prediction of every layer, and the chosen experts.

The logit lens (nostalgebraist 2020) treats the residual stream between blocks as if it were the
final residual stream. The attention weights are the weights that the network used for the token.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tutor.lm.distribution import LensRow, XRay
from tutor.lm.inspect import routing
from tutor.lm.language_model import LanguageModel
from tutor.lm.network import KeyValueCache, Trace

ATTENTION_BYTES = 16 * 2**20
"""The maximum size of the attention weights in one response, in bytes.

A response always includes at least one layer. In a small model, all layers fit at any text length.
In a large model, only some layers fit if the text is long.
"""


@torch.inference_mode()
def x_ray(
    model: LanguageModel,
    before: KeyValueCache,
    id_: int,
    following: int | None,
    layer: int,
    attention_bytes: int = ATTENTION_BYTES,
) -> XRay:
    """Process token `id_` after the tokens in `before`, and return its attention and logit lens.

    The token is added to `before`. `following` is the next token of the text. At the end of a text,
    it is None, and the model's most probable next token is used instead. The result includes the
    attention of `layer` and of as many layers around it as fit into `attention_bytes`.
    """
    network = model.network
    position = before.length
    trace, scores = Trace(), routing.RouterScores()
    with routing.recorded(network, scores):
        network(torch.tensor([id_]), before, trace)
    stream = torch.cat(trace.residuals)  # [layers + 1, width]
    logits = network.lens(stream).cpu()  # [layers + 1, vocabulary]
    probabilities = logits.double().softmax(dim=-1)  # in float32, the smallest would become 0
    target = int(probabilities[-1].argmax()) if following is None else following
    layers, heads = network.config.layers, network.config.heads
    held = _held(layer, layers, attention_bytes // (4 * heads * (position + 1)))
    attention = torch.stack(trace.attention[held.start : held.stop])  # [held, heads, 1, length]
    return XRay(
        position=position,
        layers=layers,
        heads=heads,
        target=model.tokenizer.token(target),
        lens=_lens_rows(model, probabilities, target),
        first_layer=held.start,
        attention=attention.cpu().float().contiguous().numpy().tobytes(),
        experts=network.config.experts,
        routes=routing.routes(network, scores),
    )


def _held(layer: int, layers: int, room: int) -> range:
    """Return a range of up to `room` layers around `layer`, which always includes `layer`."""
    count = min(layers, max(1, room))
    start = min(max(0, layer - count // 2), layers - count)
    return range(start, start + count)


def _lens_rows(model: LanguageModel, probabilities: Tensor, target: int) -> tuple[LensRow, ...]:
    best = probabilities.max(dim=-1)
    of_target = probabilities[:, target].tolist()
    columns = zip(best.indices.tolist(), best.values.tolist(), of_target, strict=True)
    return tuple(
        LensRow(layer, model.tokenizer.token(id_), probability, probability_of_target)
        for layer, (id_, probability, probability_of_target) in enumerate(columns)
    )

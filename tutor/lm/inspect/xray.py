"""Inside one forward pass: where a token looked, and what each layer would have said.

The logit lens (nostalgebraist 2020) takes the residual stream between two blocks as if it were
the final one. The attention weights are those that the network really used at this position.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tutor.lm.distribution import LensRow, XRay
from tutor.lm.language_model import LanguageModel
from tutor.lm.network import KeyValueCache, Trace

ATTENTION_BYTES = 16 * 2**20
"""How much of the attention is handed over at once, unless a single layer is more: every layer of a
small model at any length, some of a large one's at a long text."""


@torch.inference_mode()
def x_ray(
    model: LanguageModel,
    before: KeyValueCache,
    id_: int,
    following: int | None,
    layer: int,
    attention_bytes: int = ATTENTION_BYTES,
) -> XRay:
    """Read token `id_` once more after what `before` holds (the token is added to it).

    `following` is the token that came next, None at the end of a text: then the model's own most
    probable next token takes its place. `layer` is the one whose attention is wanted; with it come
    as many around it as `attention_bytes` hold.
    """
    network = model.network
    position = before.length
    trace = Trace()
    network(torch.tensor([id_]), before, trace)
    stream = torch.cat(trace.residuals)  # [layers + 1, width]
    probabilities = network.lens(stream).cpu().softmax(dim=-1)  # [layers + 1, vocabulary]
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
    )


def _held(layer: int, layers: int, room: int) -> range:
    """Return up to `room` layers around `layer`, at least that one."""
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

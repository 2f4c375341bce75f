"""Inside one forward pass: where a token looked, and what each layer would have said.

The logit lens (nostalgebraist 2020) takes the residual stream between two blocks as if it were
the final one. The attention weights are those that the network really used at this position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tutor.lm.distribution import LensRow, XRay
from tutor.lm.network import KeyValueCache, Trace

if TYPE_CHECKING:
    from tutor.lm.load import LanguageModel


@torch.inference_mode()
def x_ray(model: LanguageModel, before: KeyValueCache, id_: int, following: int | None) -> XRay:
    """Read token `id_` once more after what `before` holds (the token is added to it).

    `following` is the token that came next, None at the end of a text: then the model's own most
    probable next token takes its place.
    """
    network = model.network
    position = before.length
    trace = Trace()
    network(torch.tensor([id_]), before, trace)
    stream = torch.cat(trace.residuals)  # [layers + 1, width]
    probabilities = network.lens(stream).softmax(dim=-1)  # [layers + 1, vocabulary]
    target = int(probabilities[-1].argmax()) if following is None else following
    attention = torch.stack(trace.attention).float()  # [layers, heads, 1, position + 1]
    return XRay(
        position=position,
        layers=network.config.layers,
        heads=network.config.heads,
        target=model.tokenizer.token(target),
        lens=_lens_rows(model, probabilities, target),
        attention=attention.contiguous().numpy().tobytes(),
    )


def _lens_rows(model: LanguageModel, probabilities: Tensor, target: int) -> tuple[LensRow, ...]:
    best = probabilities.max(dim=-1)
    return tuple(
        LensRow(layer, model.tokenizer.token(id_), probability, of_target)
        for layer, (id_, probability, of_target) in enumerate(
            zip(
                best.indices.tolist(),
                best.values.tolist(),
                probabilities[:, target].tolist(),
                strict=True,
            )
        )
    )

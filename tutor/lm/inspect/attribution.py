"""Explain a token's logit in terms of the network's parts or the tokens of the text.

There are two methods. Direct attribution (see `tutor.lm.inspect.contributions`) splits the logit
into one term for each part of the network. A head's term can be split further, by the tokens that
the head attends to. The terms add up to the logit, but they do not include a part's indirect
effects, which arise because later parts use its output.

Occlusion (Zeiler & Fergus 2014; `Inspectable.occlusion`) removes one token from the text and runs
the network again. The result includes all effects of the token, but the network may never have been
trained on texts like the shorter one. If the two methods disagree, neither of them is a complete
explanation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from tutor.lm.attribution import Attribution
from tutor.lm.inspect.contributions import (
    Parts,
    of_bias,
    of_final_bias,
    of_heads,
    of_sources,
    recorded,
    to_logit,
    whole_logit,
)
from tutor.lm.language_model import LanguageModel
from tutor.lm.network import KeyValueCache, Trace, Transformer


@torch.inference_mode()
def attribute(
    model: LanguageModel,
    before: KeyValueCache,
    id_: int,
    target: int | None = None,
    against: int | None = None,
) -> Attribution:
    """Process token `id_` after the tokens in `before`, and explain the logit of `target`.

    If `target` is None, the most probable next token is used. With `against`, the logit of `target`
    minus the logit of `against` is explained. The token `id_` is added to `before`.
    """
    network, parts, trace = model.network, Parts(), Trace()
    with recorded(network, parts):
        network(torch.tensor([id_]), before, trace)
    stream = trace.residuals[-1][0].float()  # [width]
    target = int(network.lens(stream).argmax()) if target is None else target
    layers = range(network.config.layers)
    of_biases = (of_bias(network, layer, parts.heads[layer][0]) for layer in layers)
    biases = [each[None].float() for each in of_biases if each is not None]
    of_each_head = [of_heads(network, layer, parts.heads[layer][0]) for layer in layers]
    terms = torch.cat(
        [
            trace.residuals[0].float(),
            *of_each_head,
            *(each.float() for each in parts.feed_forward),
            *(each[None].to(stream) for each in parts.added),
            *biases,
        ]
    )  # [1 + layers * heads + layers + added + biases, width]
    added = _to_logit(network, stream, terms, target, against)
    embedding, heads, feed_forward, steering, bias = added.split(
        [1, len(layers) * network.config.heads, len(layers), len(parts.added), len(biases)]
    )
    last = of_final_bias(network, target)
    last -= 0.0 if against is None else of_final_bias(network, against)
    return Attribution(
        target=model.tokenizer.token(target),
        against=None if against is None else model.tokenizer.token(against),
        logit=explained_logit(network, stream, target, against),
        embedding=float(embedding),
        heads=tuple(map(tuple, heads.view(network.config.layers, -1).tolist())),
        feed_forward=tuple(feed_forward.tolist()),
        steering=float(steering.sum()),
        bias=float(bias.sum()) + last,
    )


class HeadSources(NamedTuple):
    """A head's contribution to a logit, split by the tokens that it attends to.

    `attention` [length] are the attention weights, which sum to 1. `logits` [length] contains each
    token's part of the contribution. Except for rounding, these parts sum to the contribution.
    """

    attention: Tensor
    logits: Tensor


def from_tokens(
    model: LanguageModel,
    before: KeyValueCache,
    id_: int,
    heads: Iterable[tuple[int, int]],
    target: int | None = None,
    against: int | None = None,
) -> Iterator[HeadSources]:
    """Process token `id_` after the tokens in `before`, and split the contributions of some heads.

    `heads` are pairs of a layer and a head. A head's direct contribution (see `attribute`) is split
    into one term for each token. The term comes from the token's value vector. A value vector is
    computed from the residual stream at the token's position, which contains more than the token
    itself: earlier blocks have added information from the tokens before it.

    `target` and `against` are as in `attribute`. The token `id_` is added to `before`.
    """
    network, parts, trace = model.network, Parts(), Trace()
    with recorded(network, parts):
        network(torch.tensor([id_]), before, trace)
    stream = trace.residuals[-1][0].float()  # [width]
    target = int(network.lens(stream).argmax()) if target is None else target
    caches = before.layers(0)
    shared = network.config.heads // network.config.key_value_heads
    for layer, head in heads:
        weights = trace.attention[layer].view(network.config.heads, -1)[head].float()  # [length]
        values = caches[layer].values[0, head // shared].float()  # [length, head_size]
        terms = of_sources(network, layer, head, weights, values, parts.heads[layer][0])
        yield HeadSources(weights.cpu(), _to_logit(network, stream, terms, target, against))


def difference(logits: Tensor, target: int, against: int | None) -> float:
    """Return the logit of `target`, minus the logit of `against` if it is given."""
    return float(logits[target]) - (0.0 if against is None else float(logits[against]))


def explained_logit(
    network: Transformer, stream: Tensor, target: int, against: int | None = None
) -> float:
    """Return the logit to which the contributions of `attribute` add up.

    `stream` [width] is the residual stream after the last block.
    """
    whole = whole_logit(network, stream, target)
    return whole if against is None else whole - whole_logit(network, stream, against)


def _to_logit(
    network: Transformer, stream: Tensor, terms: Tensor, target: int, against: int | None
) -> Tensor:
    """Return the direct contribution of each term [N, width] to the target logit: [N]."""
    added = to_logit(network, stream, terms, target)
    return added if against is None else added - to_logit(network, stream, terms, against)

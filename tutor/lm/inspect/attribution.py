"""Explain a token's logit by the parts of the network and by the tokens of the text.

There are two methods. Direct attribution (see `tutor.lm.inspect.contributions`) splits the logit
into one term for each part of the network. The terms add up to the logit, but they do not include a
part's indirect effects, which arise because later parts use its output.

Occlusion (Zeiler & Fergus 2014) removes one token from the text and runs the network again. The
result includes all effects of the token, but the network may never have been trained on texts like
the shorter one. If the two methods disagree, neither of them is a complete explanation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from tutor.lm.attribution import Attribution, Occlusion
from tutor.lm.inspect.contributions import Parts, of_heads, recorded, to_logit
from tutor.lm.language_model import LanguageModel
from tutor.lm.network import KeyValueCache, Trace


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
    logits = network.lens(stream).float().cpu()
    target = int(logits.argmax()) if target is None else target
    layers = range(network.config.layers)
    of_each_head = [of_heads(network, layer, parts.heads[layer][0]) for layer in layers]
    terms = torch.cat(
        [
            trace.residuals[0].float(),
            *of_each_head,
            *(each.float() for each in parts.feed_forward),
        ]
    )  # [1 + layers * heads + layers, width]
    added = to_logit(network, stream, terms, target)
    if against is not None:
        added = added - to_logit(network, stream, terms, against)
    embedding, heads, feed_forward = added.split(
        [1, network.config.layers * network.config.heads, network.config.layers]
    )
    return Attribution(
        target=model.tokenizer.token(target),
        against=None if against is None else model.tokenizer.token(against),
        logit=_logit(logits, target, against),
        embedding=float(embedding),
        heads=tuple(map(tuple, heads.view(network.config.layers, -1).tolist())),
        feed_forward=tuple(feed_forward.tolist()),
    )


def occlude(model: LanguageModel, ids: Sequence[int], whole: Attribution) -> Iterator[Occlusion]:
    """Remove each token of a text in turn, and yield the effect on the attributed logit.

    `whole` is the attribution at the end of the text. The last token is never removed, because the
    prediction is made there, so a text of one token has no occlusions.
    """
    target = whole.target.id
    against = None if whole.against is None else whole.against.id
    for index in range(len(ids) - 1):
        logits = _logits_at_end(model, [*ids[:index], *ids[index + 1 :]])
        yield Occlusion(
            index=index,
            token=model.tokenizer.token(ids[index]),
            logits=whole.logit - _logit(logits, target, against),
            probability=float(logits.softmax(dim=-1)[target]),
        )


@torch.inference_mode()
def _logits_at_end(model: LanguageModel, ids: Sequence[int]) -> Tensor:
    """Return the logits at the end of a text, given its token ids: [vocabulary]."""
    final = model.network(torch.tensor(ids))[-1]  # [width]
    return model.network.logits(final).float().cpu()


def _logit(logits: Tensor, target: int, against: int | None) -> float:
    """Return the logit of `target`, minus the logit of `against` if it is given."""
    return float(logits[target]) - (0.0 if against is None else float(logits[against]))

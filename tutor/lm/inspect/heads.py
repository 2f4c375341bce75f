"""Where the heads of a network look, over one text, and which head looks where most.

A pattern says for each token which tokens a head would have to look at: the one before, the first,
itself ... A head's score is how much of its attention goes there: for each token that has such a
target the weights on its targets are added up, and the mean of these sums is taken,

    score = mean over t of  sum over j in targets(t) of A[t, j]

Heads that attend to the previous token, to a text's first token ("attention sinks", Xiao et al.
2023) and to what once followed the same token ("induction heads", Olsson et al. 2022) are found
in every trained Transformer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tutor.lm.network import Trace, Transformer


@torch.inference_mode()
def attention(network: Transformer, ids: Sequence[int]) -> Tensor:
    """The weights of every head [layers, heads, T, T]: how much each token of the text (row) takes
    from each (column). A row sums to 1; what comes after a token gets 0."""
    trace = Trace()
    network(torch.tensor(ids), None, trace)
    return torch.stack(trace.attention).cpu()


def scores(attention: Tensor, targets: Tensor) -> Tensor | None:
    """The score of every head [layers, heads] for `targets` [T, T], which are True where row t
    should look at column j. None where no token of the text has a target."""
    asked = targets.any(dim=-1)  # [T]
    if not asked.any():
        return None
    found = (attention * targets).sum(dim=-1)  # [layers, heads, T]
    return found[..., asked].mean(dim=-1)


def previous(ids: Sequence[int]) -> Tensor:
    """The token before."""
    return torch.ones(len(ids), len(ids), dtype=torch.bool).tril(-1).triu(-1)


def first(ids: Sequence[int]) -> Tensor:
    """The first token of all; that one has no choice itself."""
    targets = torch.zeros(len(ids), len(ids), dtype=torch.bool)
    targets[1:, 0] = True
    return targets


def itself(ids: Sequence[int]) -> Tensor:
    """The token itself, but for the first, which has no choice."""
    targets = torch.eye(len(ids), dtype=torch.bool)
    targets[0, 0] = False
    return targets


def same(ids: Sequence[int]) -> Tensor:
    """The same token, where it came before."""
    values = torch.tensor(ids)
    return (values[:, None] == values).tril(-1)


def after_same(ids: Sequence[int]) -> Tensor:
    """What followed the same token, where that came before: a copy of it would be a guess at the
    next token."""
    targets = torch.zeros(len(ids), len(ids), dtype=torch.bool)
    targets[:, 1:] = same(ids)[:, :-1]
    return targets


PATTERNS: dict[str, Callable[[Sequence[int]], Tensor]] = {
    "previous": previous,
    "first": first,
    "itself": itself,
    "same": same,
    "after-same": after_same,
}

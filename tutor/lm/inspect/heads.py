"""Score the attention heads of a network by the kind of tokens that they attend to.

A pattern assigns targets to each token t of a text: the previous token, the first token, the token
itself, and so on. A head's score for a pattern is the fraction of its attention that goes to the
targets. For each token that has targets, add up the attention weights on its targets; the score is
the mean of these sums:

    score = mean over t of  sum over j in targets(t) of A[t, j]

Every trained Transformer has heads that attend to the previous token, to the first token of the
text ("attention sinks", Xiao et al. 2023), and to the token that followed an earlier copy of the
current token ("induction heads", Olsson et al. 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tutor.lm.network import Trace, Transformer


@torch.inference_mode()
def attention(network: Transformer, ids: Sequence[int]) -> Tensor:
    """Return the attention weights of every head: [layers, heads, T, T].

    Row t contains the weights of token t's attention to each token (column). Each row sums to 1,
    and later tokens have weight 0.
    """
    trace = Trace()
    network(torch.tensor(ids), None, trace)
    return torch.stack(trace.attention).cpu()


def scores(attention: Tensor, targets: Tensor) -> Tensor | None:
    """Return the score of every head for a pattern, given as `targets` [T, T]: [layers, heads].

    Entry [t, j] of `targets` is True if token j is a target of token t. Returns None if no token of
    the text has a target.
    """
    asked = targets.any(dim=-1)  # [T]
    if not asked.any():
        return None
    found = (attention * targets).sum(dim=-1)  # [layers, heads, T]
    return found[..., asked].mean(dim=-1)


def previous(ids: Sequence[int]) -> Tensor:
    """Return the targets of the pattern "the previous token": [T, T].

    The first token has no target.
    """
    return torch.ones(len(ids), len(ids), dtype=torch.bool).tril(-1).triu(-1)


def first(ids: Sequence[int]) -> Tensor:
    """Return the targets of the pattern "the first token": [T, T].

    The first token itself has no target, because it can only attend to itself.
    """
    targets = torch.zeros(len(ids), len(ids), dtype=torch.bool)
    targets[1:, 0] = True
    return targets


def itself(ids: Sequence[int]) -> Tensor:
    """Return the targets of the pattern "the token itself": [T, T].

    The first token has no target, because it cannot attend to any other token.
    """
    targets = torch.eye(len(ids), dtype=torch.bool)
    targets[0, 0] = False
    return targets


def same(ids: Sequence[int]) -> Tensor:
    """Return the targets of the pattern "earlier copies of the same token": [T, T]."""
    values = torch.tensor(ids)
    return (values[:, None] == values).tril(-1)


def after_same(ids: Sequence[int]) -> Tensor:
    """Return the targets of the induction pattern: [T, T].

    Induction heads attend to the token that followed an earlier copy of the current token. That
    token is a good guess for the next token.
    """
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

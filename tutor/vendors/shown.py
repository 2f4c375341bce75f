"""From the few tokens that a server shows to one that is chosen.

The same steps as in `tutor/lm/sampling.py`, in the same order, on what is shown: temperature,
top-k, top-p, min-p, each on probabilities made to sum to 1 again, then the draw. What the server
hides can never be drawn, whatever its probability. The draw is the race of `tutor/lm/draw.py`,
with a luck for each token that follows from the seed, the position and its id.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from hashlib import blake2b

from tutor.lm.distribution import Cut, Distribution, Row, SamplerSettings, Token
from tutor.vendors.service import Alternative

NOT_TOLD = math.nan
"""A probability, or bits, that the server does not tell."""


def distribution(
    shown: Sequence[Alternative],
    sampler: SamplerSettings,
    *,
    position: int,
    seed: int,
    top: int,
    token_of: Callable[[bytes], Token],
    drawn: Token | None = None,
    drawn_log: float | None = None,
) -> Distribution:
    """The answer after `position` tokens, from the alternatives `shown`, most probable first.

    `vocabulary_size` is 0: it is not known. The entropy is the least that it can be: what is hidden
    counts as one token. What is hidden does not depend on `top`. `drawn` is the server's own
    choice, where it draws, with its log-probability if that is told; it need not be among those
    shown.
    """
    rows = _rows(shown, sampler, token_of)
    if drawn is None and rows:
        chosen = _first(rows, seed, position)
    else:
        wanted = drawn or token_of(b"")
        beyond = unknown(wanted, len(rows) + 1, drawn_log)
        chosen = next((row for row in rows if row.token == wanted), beyond)
    plain = [row.probability for row in rows]
    return Distribution(
        position=position,
        vocabulary_size=0,
        entropy_bits=least_entropy(plain),
        sampled_entropy_bits=_entropy([row.sampled_probability for row in rows]),
        kept=sum(row.cut is None for row in rows),
        rows=tuple(rows[:top]),
        drawn=chosen,
        drawn_elsewhere=drawn is not None,
        hidden_probability=max(0.0, 1.0 - sum(plain)),
    )


def least_entropy(shown: Sequence[float]) -> float:
    """The least bits that a distribution can have of which these probabilities are shown: the rest
    counts as one token, and may be many."""
    return _entropy([*shown, max(0.0, 1.0 - sum(shown))])


def unknown(token: Token, rank: int, log_probability: float | None = None) -> Row:
    """The row of a token that the server does not show here: at best, its rank is the next one."""
    if log_probability is None:
        return Row(rank, token, NOT_TOLD, NOT_TOLD, NOT_TOLD)
    return Row(rank, token, math.exp(log_probability), log_probability, NOT_TOLD)


def _rows(
    shown: Sequence[Alternative], sampler: SamplerSettings, token_of: Callable[[bytes], Token]
) -> list[Row]:
    logs = [alternative.log_probability for alternative in shown]
    sampled, cuts = _sampled(logs, sampler)
    return [
        Row(
            rank=place,
            token=token_of(alternative.data),
            probability=alternative.probability,
            logit=alternative.log_probability,
            sampled_probability=sampled[place - 1],
            cut=cuts[place - 1],
        )
        for place, alternative in enumerate(shown, 1)
    ]


def _sampled(
    logs: Sequence[float], sampler: SamplerSettings
) -> tuple[list[float], list[Cut | None]]:
    """What the sampler leaves of each probability, and what cut it."""
    count = len(logs)
    if sampler.greedy:
        cuts: list[Cut | None] = [None if place == 0 else "greedy" for place in range(count)]
        return [1.0 if place == 0 else 0.0 for place in range(count)], cuts
    weights = [math.exp((value - logs[0]) / sampler.temperature) for value in logs]
    after_top_k = min(sampler.top_k or count, count)
    after_top_p = _nucleus(weights[:after_top_k], sampler.top_p)
    least = sampler.min_p  # the greatest weight is 1
    after_min_p = sum(weight >= least for weight in weights[:after_top_p])
    total = sum(weights[:after_min_p])
    sampled = [w / total if place < after_min_p else 0.0 for place, w in enumerate(weights)]
    return sampled, [_cut(place, after_top_k, after_top_p, after_min_p) for place in range(count)]


def _nucleus(weights: Sequence[float], share: float) -> int:
    """How many of the first have together a share of the sum of all."""
    if share >= 1:
        return len(weights)
    total, reached = sum(weights), 0.0
    for place, weight in enumerate(weights, 1):
        reached += weight
        if reached >= share * total:
            return place
    return len(weights)


def _cut(place: int, after_top_k: int, after_top_p: int, after_min_p: int) -> Cut | None:
    if place < after_min_p:
        return None
    if place >= after_top_k:
        return "top-k"
    return "top-p" if place >= after_top_p else "min-p"


def _first(rows: Sequence[Row], seed: int, position: int) -> Row:
    """The row that arrives first: an exponentially distributed time, divided by its probability."""

    def arrival(row: Row) -> float:
        digest = blake2b(f"{seed}:{position}:{row.token.id}".encode(), digest_size=8).digest()
        uniform = ((int.from_bytes(digest, "big") >> 12) + 0.5) / 2**52
        return -math.log(uniform) / row.sampled_probability

    return min((row for row in rows if row.sampled_probability > 0), key=arrival)


def _entropy(probabilities: Sequence[float]) -> float:
    return -sum(p * math.log2(p) for p in probabilities if p > 0) + 0.0

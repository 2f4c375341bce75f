"""Build a distribution from the few tokens that a server reports, and sample from it.

The steps are the same as in `tutor/lm/sampling.py`: temperature, top-k, top-p and min-p, with the
probabilities renormalized after each step, and then the draw. A token that the server does not
report can never be drawn, however probable it is. The draw uses the method of `tutor/lm/draw.py`.
The random number for a token is derived from the seed, the position and the token id.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from hashlib import blake2b

from tutor.lm.distribution import Cut, Distribution, Row, SamplerSettings, Token
from tutor.vendors.service import Alternative
from tutor.vendors.vocabulary import END

NOT_TOLD = math.nan
"""The placeholder for a probability or surprisal that the server does not report."""


def distribution(
    shown: Sequence[Alternative],
    sampler: SamplerSettings,
    *,
    position: int,
    seed: int,
    top: int,
    token_of: Callable[[Alternative], Token],
    drawn: Token | None = None,
    drawn_log: float | None = None,
) -> Distribution:
    """Return the distribution after `position` tokens, from the alternatives in `shown`.

    `shown` must be sorted by probability, the highest first. `vocabulary_size` is 0, because it is
    unknown. The entropy is a lower bound, computed as if all hidden tokens were a single token.
    `top` limits the number of rows but does not affect the hidden probability.

    If the server samples, `drawn` is the token that it chose, and `drawn_log` is the
    log-probability of this token if it is known. The token need not be in `shown`.
    """
    rows = _rows(shown, sampler, token_of)
    if drawn is None and rows:
        chosen = _first(rows, seed, position)
    else:
        wanted = drawn or END
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
    """Return the minimum entropy, in bits, of a distribution with these probabilities.

    The entropy is minimal if all of the remaining probability belongs to a single token.
    """
    return _entropy([*shown, max(0.0, 1.0 - sum(shown))])


def unknown(token: Token, rank: int, log_probability: float | None = None) -> Row:
    """Return the row of a token that the server does not report, with its best possible rank."""
    if log_probability is None:
        return Row(rank, token, NOT_TOLD, NOT_TOLD, NOT_TOLD)
    return Row(rank, token, math.exp(log_probability), log_probability, NOT_TOLD)


def _rows(
    shown: Sequence[Alternative], sampler: SamplerSettings, token_of: Callable[[Alternative], Token]
) -> list[Row]:
    logs = [alternative.log_probability for alternative in shown]
    sampled, cuts = _sampled(logs, sampler)
    return [
        Row(
            rank=rank,
            token=token_of(alternative),
            probability=alternative.probability,
            logit=alternative.log_probability,
            sampled_probability=sampled[rank - 1],
            cut=cuts[rank - 1],
        )
        for rank, alternative in enumerate(shown, 1)
    ]


def _sampled(
    logs: Sequence[float], sampler: SamplerSettings
) -> tuple[list[float], list[Cut | None]]:
    """Return the probabilities after the sampler, with the setting that removed each token."""
    count = len(logs)
    if sampler.greedy:
        cuts: list[Cut | None] = [None if index == 0 else "greedy" for index in range(count)]
        return [1.0 if index == 0 else 0.0 for index in range(count)], cuts
    weights = [math.exp((value - logs[0]) / sampler.temperature) for value in logs]
    after_top_k = min(sampler.top_k or count, count)
    after_top_p = _nucleus(weights[:after_top_k], sampler.top_p)
    least = sampler.min_p  # A fraction of the largest weight, which is 1.
    after_min_p = sum(weight >= least for weight in weights[:after_top_p])
    total = sum(weights[:after_min_p])
    sampled = [w / total if index < after_min_p else 0.0 for index, w in enumerate(weights)]
    return sampled, [_cut(index, after_top_k, after_top_p, after_min_p) for index in range(count)]


def _nucleus(weights: Sequence[float], top_p: float) -> int:
    """Return the number of leading weights whose sum reaches the fraction `top_p` of the total."""
    if top_p >= 1:
        return len(weights)
    total, reached = sum(weights), 0.0
    for count, weight in enumerate(weights, 1):
        reached += weight
        if reached >= top_p * total:
            return count
    return len(weights)


def _cut(index: int, after_top_k: int, after_top_p: int, after_min_p: int) -> Cut | None:
    if index < after_min_p:
        return None
    if index >= after_top_k:
        return "top-k"
    return "top-p" if index >= after_top_p else "min-p"


def _first(rows: Sequence[Row], seed: int, position: int) -> Row:
    """Draw a row at random: return the row with the earliest arrival time.

    The arrival time of a row is exponentially distributed. The row's probability is the rate of the
    distribution.
    """

    def arrival(row: Row) -> float:
        digest = blake2b(f"{seed}:{position}:{row.token.id}".encode(), digest_size=8).digest()
        uniform = ((int.from_bytes(digest, "big") >> 12) + 0.5) / 2**52
        return -math.log(uniform) / row.sampled_probability

    return min((row for row in rows if row.sampled_probability > 0), key=arrival)


def _entropy(probabilities: Sequence[float]) -> float:
    return -sum(p * math.log2(p) for p in probabilities if p > 0) + 0.0

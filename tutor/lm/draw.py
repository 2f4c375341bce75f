"""The draw: which token is written down.

All tokens run a race. A token of probability p waits for a random time before it arrives, and the
first to arrive is drawn. The time is exponentially distributed with rate p: in every instant the
token arrives with a chance in proportion to p, no matter how long it has waited already. So
whenever the first arrival happens, the chance that it is this token and no other is its share of
all rates, and that is exactly p (the rates sum to 1):

    P(i arrives first) = ∫ p_i exp(-p_i t) · ∏_{j≠i} exp(-p_j t) dt = p_i / ∑_j p_j

A time of rate p is a time e of rate 1 divided by p. The e of a token is its luck, and has nothing
to do with its probability. With l for the logit, the token of the least e / p is the one of the
greatest l - log e, and -log e follows Gumbel's distribution: the race is known as the Gumbel-max
trick (Maddison, Tarlow and Minka 2014, "A* Sampling"; Vieira 2014, "Gumbel-max trick and weighted
reservoir sampling").

Luck is a pure function of the seed, the position in the text and the token's id. That makes a draw
repeatable, and it makes it robust: a network that reads a text at once rounds differently from one
that grew it token by token, and when probabilities change in their last digits, only two tokens
that arrive at nearly the same time can change places. Texts of 60 tokens, grown and then read at
once, drew another token at 11 of 1,440 places (SmolLM2, 4-bit kernels). The usual way, one random
number as a place on a line of all probabilities laid end to end, did so at 258: each little change
moves everything that lies behind it. And a token that a sampler setting cuts leaves the race, but
nobody else's time changes.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STRIDE = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio


def first(probabilities: NDArray[np.floating], seed: int, position: int) -> int:
    """The id of the token that arrives first, of probabilities [V] that need not sum to 1. Those
    of probability 0 never arrive."""
    return int(np.argmax(probabilities / luck(seed, position, len(probabilities))))


def luck(seed: int, position: int, count: int) -> NDArray[np.float64]:
    """Exponentially distributed times of mean 1, all above 0, for the ids below `count`.

    The same on every machine, but for the last digit of the logarithm.
    """
    digest = blake2b(f"{seed}:{position}".encode(), digest_size=8).digest()
    bits = split_mix(int.from_bytes(digest, "big"), count)
    uniform = ((bits >> np.uint64(12)) + 0.5) / 2**52  # between 0 and 1, and never either
    return -np.log(uniform)


def split_mix(state: int, count: int) -> NDArray[np.uint64]:
    """The first `count` numbers of SplitMix64 from a 64-bit `state` (Steele, Lea and Flood 2014,
    "Fast Splittable Pseudorandom Number Generators"). Each is found by itself: the state grows by
    a fixed stride, and is then stirred until nothing of that is left to see."""
    z = np.arange(1, count + 1, dtype=np.uint64) * _STRIDE + np.uint64(state)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))

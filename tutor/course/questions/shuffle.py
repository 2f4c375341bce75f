"""Shuffle choices in a reproducible order: the same seed always gives the same order.

The order comes from sorting by a hash. The sequence of a random generator could change between
Python versions, and a quiz that was interrupted weeks ago would then continue in a different order.
"""

from hashlib import blake2b


def shuffled(count: int, salt: str) -> tuple[int, ...]:
    """Return the indexes below `count` in an order that depends only on `salt`."""

    def key(index: int) -> bytes:
        return blake2b(f"{salt}/{index}".encode(), digest_size=16).digest()

    return tuple(sorted(range(count), key=key))


def out_of_order(count: int, salt: str) -> tuple[int, ...]:
    """Return the indexes below `count` in a shuffled order, which is never the ascending order."""
    order = shuffled(count, salt)
    return order if list(order) != sorted(order) else (*order[1:], order[0])

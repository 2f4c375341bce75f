"""Shuffle choices, always in the same way for the same seed.

Sorting by a hash needs no random generator, whose sequence could change with a Python version. So a
quiz that was left weeks ago still has the same order.
"""

from hashlib import blake2b


def shuffled(count: int, salt: str) -> tuple[int, ...]:
    """Return the indexes below `count` in an order that depends only on `salt`."""

    def key(index: int) -> bytes:
        return blake2b(f"{salt}/{index}".encode(), digest_size=16).digest()

    return tuple(sorted(range(count), key=key))


def out_of_order(count: int, salt: str) -> tuple[int, ...]:
    """Return the indexes below `count` like `shuffled`, but never in ascending order."""
    order = shuffled(count, salt)
    return order if list(order) != sorted(order) else (*order[1:], order[0])

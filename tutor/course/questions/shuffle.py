"""The order in which choices are shown: shuffled, and the same for the same seed.

Sorting by a hash needs no random generator whose sequence could change with a Python version, so
a quiz that was left weeks ago is found again as it was.
"""

from hashlib import blake2b


def shuffled(count: int, salt: str) -> tuple[int, ...]:
    """Return the places below `count` in an order that depends only on `salt`."""

    def key(index: int) -> bytes:
        return blake2b(f"{salt}/{index}".encode(), digest_size=16).digest()

    return tuple(sorted(range(count), key=key))


def out_of_order(count: int, salt: str) -> tuple[int, ...]:
    """Return the places below `count` like `shuffled`, but never in ascending order."""
    order = shuffled(count, salt)
    return order if list(order) != sorted(order) else (*order[1:], order[0])

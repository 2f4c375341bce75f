"""A long reading that is not at its end yet."""

from __future__ import annotations

import msgspec


class Underway(msgspec.Struct, frozen=True, tag=True):
    """An answer that is none yet: `done` of `total` blocks are passed. Who asks the same again
    hears more; who asks something else has lost nothing but what is done."""

    done: int
    total: int

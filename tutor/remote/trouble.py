"""What can go wrong with a remote model, in words.

Sentences are ours, made of the status and of a cleaned and shortened message of the server. The
vendors' exceptions are not chained to ours: they hold the request, and with it the key.
"""

from __future__ import annotations

from tutor.errors import RemoteTimeout


def too_slow(seconds: float, *, begun: bool) -> RemoteTimeout:
    what = "Nothing more came" if begun else "It did not begin to answer"
    return RemoteTimeout(
        f"{what} within {seconds:g} seconds.",
        "Ask again, ask for less, or choose a smaller model.",
    )

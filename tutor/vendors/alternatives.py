"""How many alternatives a server tells for one token, found out by asking."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from tutor.errors import NotTold
from tutor.vendors.catalogue import RemoteModel
from tutor.vendors.service import Cancellation, Finish, Piece, RemoteRequest, Service

ALTERNATIVES = 20
"""Asked for with each token: the most that OpenAI allows, and vLLM unless it is told otherwise."""

_FEW = 5
"""What OpenAI's older address allows."""


class Alternatives:
    """Of one model: `most` are asked for, until the server refuses so many."""

    def __init__(self, model: RemoteModel) -> None:
        self.most = 0 if model.service.alternatives == 0 else ALTERNATIVES

    def stream(
        self,
        opened: Callable[[], Service],
        request: RemoteRequest,
        cancellation: Cancellation,
    ) -> Iterator[Piece | Finish]:
        """The answer. A server that refuses to tell so many alternatives is asked for fewer, and
        then for none. Raises `RemoteError`."""
        while True:
            fewer = msgspec.structs.replace(request, top=min(request.top, self.most))
            try:
                yield from opened().stream(fewer, cancellation)
            except NotTold:
                if not fewer.top:
                    raise
                self.most = max(each for each in (_FEW, 0) if each < self.most)
            else:
                return

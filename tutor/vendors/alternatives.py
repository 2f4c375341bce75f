"""Finds out how many alternatives a server returns for one token, by trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from tutor.errors import NotTold
from tutor.vendors.catalogue import RemoteModel
from tutor.vendors.service import Cancellation, Finish, Piece, RemoteRequest, Service

ALTERNATIVES = 20
"""Alternatives to ask for with each token: the most that OpenAI allows, and vLLM by default."""

_FEW = 5
"""The most that OpenAI's older endpoint allows."""


class Alternatives:
    """The number of alternatives to ask one model for.

    It starts at `most`, which is lowered when the server refuses that many.
    """

    def __init__(self, model: RemoteModel) -> None:
        self.most = 0 if model.service.alternatives == 0 else ALTERNATIVES

    def stream(
        self,
        opened: Callable[[], Service],
        request: RemoteRequest,
        cancellation: Cancellation,
    ) -> Iterator[Piece | Finish]:
        """Yield the answer, with fewer alternatives or none if the server refuses.

        Raises `RemoteError`.
        """
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

"""Find out how many alternatives per token a server returns.

If a server rejects a request for many alternatives, the request is repeated with fewer of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from tutor.errors import NotTold
from tutor.vendors.catalogue import RemoteModel
from tutor.vendors.service import Cancellation, Finish, Piece, RemoteRequest, Service

ALTERNATIVES = 20
"""The number of alternatives to request first: the maximum of OpenAI and, by default, of vLLM."""

MANY = 200
"""The number of alternatives to request from llama.cpp's server, which sets no limit.

Together they usually have more than 99 % of the probability, and take about 20 kB.
"""

_FEW = 5
"""The maximum number of alternatives of OpenAI's older completion endpoint."""


class Alternatives:
    """The number of alternatives per token to request from one model.

    `most` is the maximum that is known so far. It is lowered when the server rejects a request.
    """

    def __init__(self, model: RemoteModel) -> None:
        self.most = 0 if model.service.alternatives == 0 else ALTERNATIVES

    def stream(
        self,
        opened: Callable[[], Service],
        request: RemoteRequest,
        cancellation: Cancellation,
    ) -> Iterator[Piece | Finish]:
        """Yield the response.

        If the server rejects the number of alternatives, retry with fewer or none. Raises
        `RemoteError`.
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

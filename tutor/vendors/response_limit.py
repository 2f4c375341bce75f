"""Limit the size of a server's responses.

The client libraries collect a response, an error message, or a line of a stream in memory until it
is complete. Without a limit, a server that never stops sending would use up all memory.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx2

from tutor.vendors.service import is_compressed

LARGEST = 32_000_000
"""The maximum size of a response, in bytes.

A streamed answer of 1,024 tokens with 20 alternatives each takes about 2 MB.
"""

_SMALLEST = 2_000_000
_FOR_EACH_TOKEN = 30_000

HEADERS = {"Accept-Encoding": "identity"}
"""The headers of all requests. A compressed response could be a thousand times as large as the data
that arrives, so no compression is requested."""


def largest_response(tokens: int) -> int:
    """Return the maximum size of a response to a request for `tokens` tokens, in bytes.

    A token with 200 alternatives takes about 20 kB. Every answer may take 2 MB, because some
    servers ignore the number of tokens.
    """
    return min(LARGEST, _SMALLEST + _FOR_EACH_TOKEN * tokens)


class ResponseTooLarge(httpx2.RequestError):  # type: ignore[misc]
    """Raised for a response that is larger than its limit, or that is compressed."""


def limit_response(response: httpx2.Response, largest: int) -> None:
    """Make reading `response` raise `ResponseTooLarge` beyond `largest` bytes.

    With the second argument bound, this is an event hook.
    """
    stream = response.stream
    assert isinstance(stream, httpx2.SyncByteStream)
    if is_compressed(response.headers.get("Content-Encoding", "")):
        response.headers["Content-Encoding"] = "identity"  # closing must not decompress anything
        response.close()
        raise ResponseTooLarge("it is compressed", request=response.request)
    response.stream = _Limited(stream, response.request, largest)


class _Limited(httpx2.SyncByteStream):  # type: ignore[misc]
    """The bytes of a response, up to the limit."""

    def __init__(
        self, stream: httpx2.SyncByteStream, request: httpx2.Request, largest: int
    ) -> None:
        self._stream = stream
        self._request = request
        self._largest = largest

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for part in self._stream:
            size += len(part)
            if size > self._largest:
                raise ResponseTooLarge(
                    f"it is larger than {self._largest:,} bytes", request=self._request
                )
            yield part

    def close(self) -> None:
        self._stream.close()

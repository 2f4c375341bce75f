"""Serve the pages of `tutor serve`, and connect each page to its app.

Every learner has an address with a token (see `tutor.cli.serve.tokens`). The page at this address
is the same for all learners. It opens a WebSocket, through which it receives the app's output, and
sends keys and window sizes as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.resources import files
from ipaddress import ip_address
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

import textual_serve
from aiohttp import WSMsgType, web

from tutor.cli.serve.session import Session, Sessions, Size
from tutor.cli.serve.tokens import Tokens

_PAGES = files("tutor.cli.serve") / "pages"
_TERMINAL = Path(str(files(textual_serve))) / "static"
_LARGEST_MESSAGE = 256 * 1024  # In bytes. The browser sends pasted text as a single message.

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; font-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    # The address contains the token, which must not be sent to other websites.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Server:
    """The pages and connections of one server.

    `names` are the hosts and ports that browsers can use to reach the server, in lower case. If
    `names` is None, any name is allowed.
    """

    def __init__(self, tokens: Tokens, sessions: Sessions, names: frozenset[str] | None) -> None:
        self._tokens = tokens
        self._sessions = sessions
        self._names = names

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._protect])
        app.add_routes(
            [
                web.get("/", self._start),
                web.post("/", self._new_learner),
                web.get("/learn/{token}/", self._learn),
                web.get("/learn/{token}/socket", self._socket),
                web.static("/terminal", _TERMINAL),
                web.static("/pages", Path(str(_PAGES))),
            ]
        )
        app.on_shutdown.append(self._shut_down)
        return app

    @web.middleware
    async def _protect(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """Refuse requests that come from other websites, and restrict what tutor's pages can do.

        Without the host name check, the owner of a website could make the website's name
        refer to this machine, and then read tutor's pages. Without the origin check, another
        website could open a connection to the server.
        """
        origin = request.headers.get("Origin")
        if self._names is not None and request.host.lower() not in self._names:
            return _page(request, "refused.html", 403)
        if origin not in (None, "null") and urlsplit(origin).netloc.lower() != request.host.lower():
            return _page(request, "refused.html", 403)
        response = await handler(request)
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    async def _start(self, request: web.Request) -> web.Response:
        return _page(request, "start.html")

    async def _new_learner(self, request: web.Request) -> web.Response:
        raise web.HTTPSeeOther(f"learn/{self._tokens.new()}/")

    async def _learn(self, request: web.Request) -> web.Response:
        learner = self._learner(request)
        if learner is None:
            return _page(request, "unknown.html", 404)
        if not self._sessions.may_open(learner):
            return _page(request, "full.html", 503)
        return _html(_read("learn.html"))

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        learner = self._learner(request)
        if learner is None:
            return _page(request, "unknown.html", 404)
        tab = web.WebSocketResponse(heartbeat=15, max_msg_size=_LARGEST_MESSAGE)
        await tab.prepare(request)
        size = Size.of(request.query.get("width"), request.query.get("height"))
        session = await self._sessions.open(learner, tab, size)
        if session is None:
            await tab.close()
            return tab
        try:
            async for message in tab:
                if message.type == WSMsgType.TEXT:
                    await _handle(message.data, tab, session)
        finally:
            await self._sessions.leave(session, tab)
        return tab

    def _learner(self, request: web.Request) -> str | None:
        return self._tokens.learner(request.match_info["token"])

    async def _shut_down(self, app: web.Application) -> None:
        await self._sessions.close()


async def _handle(text: str, tab: web.WebSocketResponse, session: Session) -> None:
    """Pass on a message from the page to the app. Messages that are not valid are ignored."""
    with suppress(ValueError):  # The message is not JSON.
        match json.loads(text):
            case ["stdin", str(keys)]:
                await session.send_bytes(keys.encode("utf-8", "replace"))
            case ["resize", {"width": width, "height": height}]:
                await session.set_terminal_size(*Size.of(width, height))
            case ["ping", str(sent)]:
                await tab.send_json(["pong", sent])


def _page(request: web.Request, name: str, status: int = 200) -> web.Response:
    """Return a page of text whose links work at the address that the browser used."""
    top = "/".join([".", *[".."] * (request.path.count("/") - 1)])
    content = Template(_read(name)).substitute(top=top)
    return _html(Template(_read("frame.html")).substitute(top=top, content=content), status)


def _html(text: str, status: int = 200) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def _read(name: str) -> str:
    return (_PAGES / name).read_text(encoding="utf-8")


def is_loopback(host: str) -> bool:
    """Return True if only this machine can reach a server that listens on `host`."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

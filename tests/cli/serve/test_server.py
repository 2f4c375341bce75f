"""Test the server with a stand-in for the app: who may connect, and which process they get."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import psutil
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from aiohttp.test_utils import TestClient, TestServer

from tutor.cli.serve.server import Server, is_loopback
from tutor.cli.serve.session import PER_LEARNER, Launch, Session, Sessions
from tutor.cli.serve.tokens import Tokens

APP = Path(__file__).with_name("echo_app.py")
TOKENS = Tokens(b"k" * 32, "me")
MOST = 4
DEADLINE = 30.0

Client = TestClient[Any, Any]


def launch(learner: str) -> Launch:
    return Launch([sys.executable, str(APP), learner], {})


@pytest.fixture
async def sessions() -> AsyncIterator[Sessions]:
    sessions = Sessions(MOST, launch)
    yield sessions
    await sessions.close()


@pytest.fixture
async def client(sessions: Sessions) -> AsyncIterator[Client]:
    async with TestClient(TestServer(Server(TOKENS, sessions, None).application())) as client:
        yield client


async def connect(client: Client, token: str, query: str = "") -> ClientWebSocketResponse:
    return await client.ws_connect(f"/learn/{token}/socket{query}")


async def heard(tab: ClientWebSocketResponse) -> dict[str, Any]:
    """Return the next thing that the app says."""
    async with asyncio.timeout(DEADLINE):
        while True:
            message = await tab.receive()
            assert message.type == WSMsgType.BINARY, message
            if message.data.startswith(b"{"):
                return cast(dict[str, Any], json.loads(message.data))


async def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


# --- addresses ------------------------------------------------------------------------------------


async def test_a_new_learner_gets_an_address_that_works(client: Client) -> None:
    start = await client.get("/")
    assert "Start as a new learner" in await start.text()
    assert "runs on the server" in await start.text()
    first = await client.post("/")
    second = await client.post("/")
    assert first.status == second.status == 200
    assert first.url.path.startswith("/learn/")
    assert first.url != second.url
    assert "textual.js" in await first.text()


async def test_everything_on_a_page_comes_from_this_server(client: Client) -> None:
    page = await client.get(f"/learn/{TOKENS.new()}/")
    text = await page.text()
    assert "//" not in text
    for place in ("css/xterm.css", "js/textual.js", "fonts/RobotoMono-VariableFont_wght.ttf"):
        assert (await client.get(f"/terminal/{place}")).status == 200
    for place in ("page.css", "page.js"):
        assert (await client.get(f"/pages/{place}")).status == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"


async def test_an_address_that_was_not_given_out_is_not_accepted(
    client: Client, sessions: Sessions
) -> None:
    page = await client.get("/learn/AAAA/")
    assert page.status == 404
    assert "not valid" in await page.text()
    with pytest.raises(WSServerHandshakeError, match="404"):
        await connect(client, TOKENS.new()[:-1] + "!")
    assert len(sessions) == 0


async def test_another_website_cannot_connect(client: Client, sessions: Sessions) -> None:
    place = f"/learn/{TOKENS.of_owner}/socket"
    with pytest.raises(WSServerHandshakeError, match="403"):
        await client.ws_connect(place, origin="https://example.org")
    assert len(sessions) == 0
    own = str(client.make_url("/")).rstrip("/")
    assert await heard(await client.ws_connect(place, origin=own))


async def test_another_name_for_this_machine_is_refused(sessions: Sessions) -> None:
    server = Server(TOKENS, sessions, frozenset({"127.0.0.1:8000"}))
    async with TestClient(TestServer(server.application())) as client:
        refused = await client.get("/", headers={"Host": "example.org:8000"})
        assert refused.status == 403
        assert "not allowed" in await refused.text()
        assert (await client.get("/", headers={"Host": "127.0.0.1:8000"})).status == 200


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (("127.0.0.1", "127.9.9.9", "::1", "Localhost"), True),
        (("0.0.0.0", "::", "10.0.0.5", "school.example", ""), False),
    ],
)
def test_which_hosts_only_this_machine_can_reach(hosts: tuple[str, ...], expected: bool) -> None:
    assert {is_loopback(host) for host in hosts} == {expected}


# --- keys and sizes -------------------------------------------------------------------------------


async def test_keys_and_sizes_reach_the_app_and_other_messages_do_not(client: Client) -> None:
    tab = await connect(client, TOKENS.of_owner, "?width=100&height=30")
    assert (await heard(tab))["arguments"] == ["me", "--browser", "100x30"]
    for garbage in ("", "{", "[]", "3", '["stdin", 3]', '["resize", []]', '["quit"]', '["blur"]'):
        await tab.send_str(garbage)
    await tab.send_bytes(b"\xff")
    await tab.send_json(["stdin", "é"])
    said = await heard(tab)
    assert (said["kind"], said["received"]) == ("D", "é")
    await tab.send_json(["resize", {"width": 40, "height": 12}])
    size = json.loads((await heard(tab))["received"])
    assert size == {"type": "resize", "width": 40, "height": 12}


@pytest.mark.parametrize("number", [0, -1, 10**12, "9" * 5000, None, [], 0.5])
async def test_an_absurd_size_is_limited(client: Client, number: object) -> None:
    tab = await connect(client, TOKENS.of_owner, "?width=1000000000000&height=x")
    assert (await heard(tab))["arguments"][-1] == "400x4"
    await tab.send_json(["resize", {"width": number, "height": number}])
    size = json.loads((await heard(tab))["received"])
    assert 10 <= size["width"] <= 400
    assert 4 <= size["height"] <= 200


# --- processes ------------------------------------------------------------------------------------


async def test_a_reload_shows_the_same_process_again(client: Client, sessions: Sessions) -> None:
    token = TOKENS.new()
    tab = await connect(client, token)
    process = (await heard(tab))["pid"]
    await tab.close()
    await until(lambda: sessions.connected == 0)
    tab = await connect(client, token, "?width=50&height=20")
    size, redraw = await heard(tab), await heard(tab)
    assert size["pid"] == process
    assert json.loads(size["received"])["width"] == 50
    assert redraw["received"] == "\x0c"
    assert len(sessions) == 1


async def test_two_tabs_have_two_processes_of_the_same_learner(client: Client) -> None:
    token = TOKENS.new()
    one, other = await connect(client, token), await connect(client, token)
    first, second = await heard(one), await heard(other)
    assert first["pid"] != second["pid"]
    assert first["arguments"] == second["arguments"]


async def test_no_one_gets_the_process_that_another_learner_left(
    client: Client, sessions: Sessions
) -> None:
    tab = await connect(client, TOKENS.new())
    process = (await heard(tab))["pid"]
    await tab.close()
    await until(lambda: sessions.connected == 0)
    assert (await heard(await connect(client, TOKENS.new())))["pid"] != process


async def test_a_process_ends_if_its_learner_does_not_come_back() -> None:
    sessions = Sessions(MOST, launch, kept=0.0)
    async with TestClient(TestServer(Server(TOKENS, sessions, None).application())) as client:
        tab = await connect(client, TOKENS.new())
        process = (await heard(tab))["pid"]
        await tab.close()
        await until(lambda: len(sessions) == 0)
        assert not psutil.pid_exists(process)


async def test_the_tab_learns_that_the_app_has_ended(client: Client, sessions: Sessions) -> None:
    tab = await connect(client, TOKENS.new())
    await heard(tab)
    await tab.send_json(["stdin", "q"])
    await heard(tab)
    async with asyncio.timeout(DEADLINE):
        message = await tab.receive()
    assert message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED)
    await until(lambda: len(sessions) == 0)


async def test_a_learner_can_have_only_some_tabs(client: Client) -> None:
    token = TOKENS.new()
    tabs = [await connect(client, token) for _ in range(PER_LEARNER)]
    for tab in tabs:
        await heard(tab)
    page = await client.get(f"/learn/{token}/")
    assert page.status == 503
    assert "no room" in await page.text()
    refused = await connect(client, token)
    assert (await refused.receive()).type == WSMsgType.CLOSE
    assert (await client.get(f"/learn/{TOKENS.new()}/")).status == 200


async def test_the_number_of_sessions_is_limited(client: Client, sessions: Sessions) -> None:
    tabs = [await connect(client, TOKENS.new()) for _ in range(MOST)]
    left = (await heard(tabs[0]))["pid"]
    assert (await client.get(f"/learn/{TOKENS.new()}/")).status == 503
    await tabs[0].close()
    await until(lambda: sessions.connected == MOST - 1)
    await heard(await connect(client, TOKENS.new()))  # instead of the session that was left
    assert not psutil.pid_exists(left)
    assert len(sessions) == MOST


async def test_all_processes_end_with_the_server(sessions: Sessions) -> None:
    async with TestClient(TestServer(Server(TOKENS, sessions, None).application())) as client:
        tabs = [await connect(client, TOKENS.new()) for _ in range(2)]
        processes = [(await heard(tab))["pid"] for tab in tabs]
    assert len(sessions) == 0
    assert not any(map(psutil.pid_exists, processes))


async def test_a_session_can_be_stopped_by_several_tasks_at_once() -> None:
    """For example, the server ends just when the app has ended by itself."""
    session = Session(launch("me"))
    await session.start(80, 24)
    await session.send_bytes(b"q")
    await session.ended.wait()
    await asyncio.gather(session.stop(), session.stop())
    await session.stop()

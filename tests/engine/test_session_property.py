"""Test that a session always answers about its current path, even if the engine restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiny_model import CONFIG, tiny_model
from tutor.engine import frames
from tutor.engine.inbox import Inbox
from tutor.engine.proxy import SessionProxy
from tutor.engine.server import Server
from tutor.engine.wire import Answer, Message, Request
from tutor.errors import ContextFull, TextError
from tutor.lm.distribution import ModelCard
from tutor.lm.inspect.steering import Steering, steering_of
from tutor.lm.saved_steering import Applied, SavedVector, packed
from tutor.lm.session import Session

MODEL = tiny_model()
MODEL.card.sha256 = "tiny"
MODEL.card.remote = False


class OneProcess:
    """A `SessionHost` with the engine's real server in this process.

    If `lost` is True, its sessions are lost before the next request, as after kill -9. The next
    caller gives up after `given_up` of its requests are done.
    """

    def __init__(self) -> None:
        self.model: ModelCard | None = MODEL.card
        self.generation = 0
        self.given_up: int | None = None
        self.lose()

    def lose(self) -> None:
        self.generation += 1
        self._answers: list[Answer] = []
        self._server = Server(MODEL, Inbox(self._heard), self._heard)

    def _heard(self, message: Message) -> None:
        assert isinstance(message, Answer)
        self._answers.append(message)

    def new_name(self) -> str:
        return "s"

    def discard(self, name: str) -> None:
        pass

    async def ready(self) -> ModelCard:
        return MODEL.card

    async def ask_in_a_row(self, requests: Sequence[Callable[[int], Request]]) -> list[Answer]:
        self._answers.clear()
        for place, request in enumerate(requests):
            if place == self.given_up:
                break
            self._server.inbox.take(frames.pack(request(place + 1))[frames.HEADER :])
            self._server.answer_next()
        if self.given_up is not None:
            self.given_up = None
            raise asyncio.CancelledError
        return list(self._answers)


VECTOR = SavedVector(
    name="it",
    model="tiny",
    model_name="tiny",
    layer=1,
    first=("Yes",),
    second=("No",),
    values=packed([each / 8 for each in range(CONFIG.width)]),
)
STEERINGS = [Applied(VECTOR, 1.0), Applied(VECTOR, -2.0)]


def steering(applied: Applied | None) -> Steering | None:
    if applied is None:
        return None
    return steering_of(MODEL, VECTOR.values, VECTOR.layer, applied.strength)


tokens = st.lists(st.integers(0, 299), min_size=1, max_size=6)
actions = st.one_of(
    st.tuples(st.just("append"), tokens),
    st.tuples(st.just("go back"), st.integers(1, 30)),
    st.tuples(st.just("go to"), tokens),
    st.tuples(st.just("too far"), st.none()),
    st.tuples(st.just("lose"), st.none()),
    st.tuples(st.just("give up"), st.integers(0, 3)),
    st.tuples(st.just("ask"), st.none()),
    st.tuples(st.just("steer"), st.sampled_from([None, *STEERINGS])),
)


@given(tokens, st.lists(actions, max_size=20))
@settings(deadline=None)
def test_answers_are_about_the_current_path(
    start: list[int], done: list[tuple[str, object]]
) -> None:
    engine = OneProcess()
    session = SessionProxy(engine, "s", MODEL.tokenizer.tokens(start))
    path = list(start)
    applied: Applied | None = None

    async def ask() -> None:
        expected = Session(MODEL, path, steering=steering(applied)).surprisals()
        assert await session.surprisals() == pytest.approx(expected)

    async def act() -> None:
        nonlocal applied
        for what, how in done:
            match what, how:
                case "append", list():
                    path.extend(how)
                    session.append(MODEL.tokenizer.tokens(how))
                case "go back", int():
                    del path[how:]
                    session.go_back(how)
                case "go to", list():
                    path[:] = how
                    session.go_to(MODEL.tokenizer.tokens(how))
                case "too far", None:
                    session.append(MODEL.tokenizer.tokens([7] * 500))
                    with pytest.raises(ContextFull):
                        await session.surprisals()
                    session.go_to(MODEL.tokenizer.tokens(path))
                case "lose", None:
                    engine.lose()
                case "give up", int():
                    engine.given_up = how
                    with suppress(asyncio.CancelledError, TextError):
                        await session.surprisals()
                case "steer", (None | Applied()):
                    applied = how
                    session.steer(applied)
                case "ask", None:
                    await ask()
            assert [token.id for token in session.tokens] == path
        await ask()

    asyncio.run(act())


class Paused(OneProcess):
    """An engine that is not ready, or doesn't respond, until `go_on` is set."""

    def __init__(self, waits_in: str) -> None:
        super().__init__()
        self._waits_in = waits_in
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    def new_name(self) -> str:
        return "fork"

    async def ready(self) -> ModelCard:
        await self._pause("ready")
        return await super().ready()

    async def ask_in_a_row(self, requests: Sequence[Callable[[int], Request]]) -> list[Answer]:
        answers = await super().ask_in_a_row(requests)
        await self._pause("answer")
        return answers

    async def _pause(self, place: str) -> None:
        if place == self._waits_in:
            self.reached.set()
            await self.go_on.wait()


@pytest.mark.parametrize("waits_in", ["ready", "answer"])
async def test_a_fork_is_steered_as_the_session_was_when_it_was_requested(waits_in: str) -> None:
    engine = Paused(waits_in)
    session = SessionProxy(engine, "s", MODEL.tokenizer.tokens([5, 6, 7]))
    session._there = None  # The engine doesn't have the session yet.
    forking = asyncio.create_task(session.fork(3))
    await engine.reached.wait()
    session.steer(STEERINGS[0])
    engine.go_on.set()
    fork = await forking
    for each, applied in ((fork, None), (session, STEERINGS[0]), (fork, None)):
        expected = Session(MODEL, [5, 6, 7], steering=steering(applied)).surprisals()
        assert await each.surprisals() == pytest.approx(expected)

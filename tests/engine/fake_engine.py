"""An engine whose model is small enough to predict, behind the Protocols of `tutor.engine.api`.

Its vocabulary is every byte, some words, and tokens that break careless programs: markup, escape
sequences, combining marks, incomplete characters, wide characters. Its probabilities are a hash of
the last tokens, so they are the same every time and on every machine.
"""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import pairwise

import msgspec

from tutor.engine.api import Engine, EngineKind, EngineState
from tutor.engine.backend_proxy import BackendProxy
from tutor.engine.requests import AnswerKind
from tutor.engine.wire import Request
from tutor.errors import ContextFull, EngineError, LabError, ModelError, TextError, TutorError
from tutor.labs.kit.registry import AnyLab
from tutor.lm.attribution import Attribution, Occlusion
from tutor.lm.distribution import (
    PLAIN,
    ChatMessage,
    Cut,
    Distribution,
    LensRow,
    ModelCard,
    RoutedExpert,
    Row,
    SamplerSettings,
    Token,
    XRay,
)
from tutor.lm.saved_steering import Applied
from tutor.vendors.catalogue import RemoteModel

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
WORDS = (
    *("The", " capital", " of", " France", " is", " Paris", ",", " and", " it", " has", " a"),
    *(" city", " the", " was", " on", " river", " Seine", ".", " Germany", " Berlin", "user"),
    *("assistant", "system", "\n", "\n\n", "Hello", " hello", " world", "!", "?", " What", " Yes"),
    *(" No", " You", " are", " helpful", " cat", " sat", " mat", " old", " beautiful", " known"),
    *(" located", " for", " its", " art", "s", " 1", " 2", " 3"),
)
NASTY = (
    b"[/", b"[b]", b"\x1b[31m", b"\x1b]0;x\x07", b"\xcc\x81", b"\xe2\x82", b"\xac", b"\xff",
    "中文".encode(), "👩‍👧".encode(), "\u202e".encode(), "\u00a0".encode(), b"\t", b"\r", b"\x00",
    b"\\", b"   ", "é".encode(),
)  # fmt: skip
CONTEXT = 256
LAYERS = 4
HEADS = 3
EXPERTS = 8
LONG = 64  # With this many tokens, an x-ray contains the attention of only one layer.


def _vocabulary() -> tuple[Token, ...]:
    entries = [(text.encode(), True) for text in SPECIAL]
    entries += [(text.encode(), False) for text in WORDS]
    entries += [(data, False) for data in NASTY]
    known = {data for data, _ in entries}
    entries += [(bytes([byte]), False) for byte in range(256) if bytes([byte]) not in known]
    return tuple(
        Token(number, data.decode("utf-8", "replace"), data, special)
        for number, (data, special) in enumerate(entries)
    )


VOCABULARY = _vocabulary()
BY_DATA = {token.data: token for token in VOCABULARY}
_LONGEST = max(len(token.data) for token in VOCABULARY)
END = BY_DATA[b"<|im_end|>"]
LIKELY = {
    b" is": (b" Paris", b" the", b" a", b" known"),
    b" Paris": (b",", b".", b" and", b"<|im_end|>"),
    b",": (b" and", b" the", b"[/", b" a"),
    b" and": (b" it", b" the", b"\x1b[31m", b"[b]"),
    b" it": (b" is", b" has", b" was", b"s"),
    b"\n": (b"Hello", b" Yes", b" No"),
    b"Hello": (b"!", b" world", b","),
    b"!": (b"<|im_end|>", b" What", b" You"),
}
"""The most probable tokens after some tokens. After all other tokens, a hash picks words."""


def token(text: str | bytes) -> Token:
    """Return the token with exactly this text."""
    return BY_DATA[text.encode() if isinstance(text, str) else text]


def split(text: str, *, special: bool = False) -> list[Token]:
    """Return the longest tokens that match, from the left."""
    data = text.encode("utf-8", "replace")
    tokens = []
    at = 0
    while at < len(data):
        for size in range(min(_LONGEST, len(data) - at), 0, -1):
            found = BY_DATA.get(data[at : at + size])
            if found is not None and (special or not found.special):
                tokens.append(found)
                at += size
                break
    return tokens


def _unit(*parts: object) -> float:
    """Return a number from 0 up to 1, always the same for the same arguments."""
    digest = blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _words_after(last: Token) -> list[bytes]:
    words = [word.encode() for word in WORDS]
    return sorted(words, key=lambda word: _unit("word", last.id, word))[:5]


def logits(path: Sequence[Token]) -> tuple[float, ...]:
    """Return the logits of all tokens after `path`."""
    return _logits_after(path[-1])


@cache
def _logits_after(last: Token) -> tuple[float, ...]:
    scores = [4.0 * _unit("logit", last.id, other.id) for other in VOCABULARY]
    for place, data in enumerate(LIKELY.get(last.data) or _words_after(last)):
        scores[BY_DATA[data].id] = 12.0 - 1.2 * place
    return tuple(scores)


def _softmax(scores: Sequence[float]) -> list[float]:
    top = max(scores)
    weights = [math.exp(score - top) for score in scores]
    total = sum(weights)
    return [weight / total for weight in weights]


def _sampled(
    scores: Sequence[float], order: Sequence[int], sampler: SamplerSettings
) -> tuple[list[float], dict[int, Cut]]:
    cut: dict[int, Cut] = {}
    if sampler.greedy:
        cut = dict.fromkeys(order[1:], "greedy")
        return [1.0 if index == order[0] else 0.0 for index in range(len(scores))], cut
    probability = _softmax([score / sampler.temperature for score in scores])
    if sampler.top_k:
        cut.update((index, "top-k") for index in order[sampler.top_k :])
    kept = [index for index in order if index not in cut]
    total = sum(probability[index] for index in kept)
    below = 0.0
    for index in kept:
        if below >= sampler.top_p * total:
            cut[index] = "top-p"
        below += probability[index]
    for index in order:
        if index not in cut and probability[index] < sampler.min_p * probability[order[0]]:
            cut[index] = "min-p"
    total = sum(value for index, value in enumerate(probability) if index not in cut)
    return [0.0 if i in cut else value / total for i, value in enumerate(probability)], cut


def _entropy(probabilities: Sequence[float]) -> float:
    return -sum(value * math.log2(value) for value in probabilities if value > 0)


def all_rows(path: Sequence[Token], sampler: SamplerSettings) -> tuple[Row, ...]:
    """Return every token's row, most probable first."""
    return _rows_after(path[-1], sampler)


@lru_cache(maxsize=500)  # the same few texts are on the screen of most tests
def _rows_after(last: Token, sampler: SamplerSettings) -> tuple[Row, ...]:
    scores = _logits_after(last)
    plain = _softmax(scores)
    order = sorted(range(len(scores)), key=lambda index: -scores[index])
    after, cut = _sampled(scores, order, sampler)
    return tuple(
        Row(rank, VOCABULARY[i], plain[i], scores[i], after[i], cut.get(i))
        for rank, i in enumerate(order, start=1)
    )


def distribution(
    path: Sequence[Token], sampler: SamplerSettings = PLAIN, seed: int = 2, top: int = 60
) -> Distribution:
    """Return the model's distribution after `path`."""
    rows = all_rows(path, sampler)
    mark = _unit("draw", seed, len(path))
    drawn = next(row for row in rows if row.sampled_probability > 0)
    for row in rows:
        mark -= row.sampled_probability
        if mark < 0:
            drawn = row
            break
    return Distribution(
        position=len(path),
        vocabulary_size=len(rows),
        entropy_bits=_entropy([row.probability for row in rows]),
        sampled_entropy_bits=_entropy([row.sampled_probability for row in rows]),
        kept=sum(row.cut is None for row in rows),
        rows=rows[:top],
        drawn=drawn,
    )


CARD = ModelCard(
    name="Fake-1K",
    path="fake",
    sha256="f" * 64,
    format="none",
    kernel="none",
    parameters=1000,
    layers=LAYERS,
    heads=HEADS,
    width=8,
    context=CONTEXT,
    vocabulary_size=len(VOCABULARY),
    chat=True,
    end_ids=(token("<|endoftext|>").id, END.id),
)


class FakeSession:
    """An `AsyncModelSession` on the fake model."""

    def __init__(self, engine: FakeEngine, tokens: Sequence[Token]) -> None:
        self._engine = engine
        self._model = engine.card.sha256
        self.tokens: tuple[Token, ...] = tuple(tokens)
        self.closed = False
        self.steering: Applied | None = None

    async def _work(self, name: str) -> None:
        await self._engine.work(name)
        if self._engine.card.sha256 != self._model:
            raise ModelError("This text was tokenized by another model.", "Enter the text again.")
        self._engine.check(len(self.tokens))

    def append(self, tokens: Sequence[Token]) -> None:
        self.tokens += tuple(tokens)

    def go_back(self, length: int) -> None:
        self.tokens = self.tokens[:length]

    def go_to(self, path: Sequence[Token]) -> None:
        self.tokens = tuple(path)

    def steer(self, applied: Applied | None) -> None:
        self.steering = applied

    async def append_turn(self, text: str) -> tuple[Token, ...]:
        await self._work("append_turn")
        turn = f"<|im_end|>\n<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
        added = tuple(split(turn, special=True))
        closed = next((n for n in (2, 1) if self.tokens[-n:] == added[:n]), 0)
        added = added[closed:]
        self._engine.check(len(self.tokens) + len(added))
        self.tokens += added
        return added

    async def fork(self, length: int) -> FakeSession:
        await self._work("fork")
        return FakeSession(self._engine, self.tokens[:length])

    async def close(self) -> None:
        self.closed = True

    async def distribution(
        self, position: int, sampler: SamplerSettings, seed: int, top: int
    ) -> Distribution:
        await self._work("distribution")
        steered = (self.tokens[0],) if self.steering is not None else ()
        return distribution((*self.tokens[:position], *steered), sampler, seed, top)

    async def rows(
        self, position: int, sampler: SamplerSettings, ids: tuple[int, ...]
    ) -> tuple[Row, ...]:
        await self._work("rows")
        by_id = {row.token.id: row for row in all_rows(self.tokens[:position], sampler)}
        return tuple(by_id[number] for number in ids)

    async def find(
        self, position: int, sampler: SamplerSettings, query: str, limit: int
    ) -> tuple[Row, ...]:
        await self._work("find")
        found = [
            row for row in all_rows(self.tokens[:position], sampler) if query in row.token.text
        ]
        if not found:
            raise TextError(f"No token contains {query}.", "Try fewer letters.")
        found.sort(key=lambda row: row.token.text.removeprefix(" ") != query.removeprefix(" "))
        return tuple(found[:limit])

    async def surprisals(self, start: int = 0) -> tuple[float | None, ...]:
        await self._work("surprisals")
        bits: list[float | None] = [None]
        for length, (_, after) in enumerate(pairwise(self.tokens), start=1):
            rows = all_rows(self.tokens[:length], PLAIN)
            bits.append(next(row.surprisal_bits for row in rows if row.token == after))
        return tuple(bits[start:])

    async def xray(self, position: int, layer: int, neighbors: bool = True) -> XRay:
        await self._work("xray")
        length = position + 1
        weights = array("f")
        held = range(LAYERS) if neighbors and length < LONG else range(layer, layer + 1)
        self._engine.attention_layers.append(len(held))
        for one in held:
            for head in range(HEADS):
                raw = [0.05 + _unit("attention", one, head, at) for at in range(length)]
                weights.extend(value / sum(raw) for value in raw)
        rows = all_rows(self.tokens[:length], PLAIN)
        following = self.tokens[length] if length < len(self.tokens) else rows[0].token
        final = next(row.probability for row in rows if row.token == following)
        lens = tuple(
            LensRow(layer, rows[LAYERS - layer].token, 0.1 + 0.1 * layer, final * layer / LAYERS)
            for layer in range(LAYERS + 1)
        )
        first = held.start
        routes = self._engine.routes
        experts = EXPERTS if routes else 0
        attention = weights.tobytes()
        return XRay(position, LAYERS, HEADS, following, lens, first, attention, experts, routes)

    async def attribution(
        self, position: int, target: int | None = None, against: int | None = None
    ) -> Attribution:
        await self._work("attribution")
        for id_ in (target, against):
            if id_ is not None and not 0 <= id_ < len(VOCABULARY):
                raise TextError(f"Token {id_} is not in the vocabulary.")
        scores = logits(self.tokens[: position + 1])
        target = scores.index(max(scores)) if target is None else target
        logit = scores[target] - (0.0 if against is None else scores[against])
        last = self.tokens[position].id

        def part(layer: int, head: int) -> float:
            return 3 * _unit("part", last, layer, head, target, against) - 1.5

        heads = tuple(tuple(part(at, head) for head in range(HEADS)) for at in range(LAYERS))
        feed_forward = tuple(part(layer, HEADS) for layer in range(LAYERS))
        return Attribution(
            target=VOCABULARY[target],
            against=None if against is None else VOCABULARY[against],
            logit=logit,
            embedding=logit - sum(map(sum, heads)) - sum(feed_forward),
            heads=heads,
            feed_forward=feed_forward,
        )

    async def sources(
        self,
        position: int,
        layer: int,
        head: int | None,
        target: int | None = None,
        against: int | None = None,
    ) -> tuple[float, ...]:
        found = await self.attribution(position, target, against)
        amount = sum(found.heads[layer]) if head is None else found.heads[layer][head]
        raw = [0.05 + _unit("source", layer, head, at) for at in range(position + 1)]
        return tuple(amount * value / sum(raw) for value in raw)

    async def occlusion(
        self,
        position: int,
        indexes: tuple[int, ...],
        target: int | None = None,
        against: int | None = None,
    ) -> tuple[Occlusion, ...]:
        await self._work("occlusion")
        return tuple(
            Occlusion(
                index=index,
                token=self.tokens[index],
                logits=4 * _unit("occlusion", self.tokens[index].id, index) - 1,
                probability=_unit("without", self.tokens[index].id, index),
            )
            for index in indexes
        )


class FakeEngine:
    """An `Engine` with the fake model.

    `hold()` makes every request wait until `release()`, `fail_with` makes the next one fail, and
    `become` changes the state. `calls` lists all requests, and `cancelled` lists the canceled
    requests.
    """

    def __init__(self, *, state: EngineState = EngineState.READY, card: ModelCard = CARD) -> None:
        self.state = state
        self.detail = ""
        self.model: ModelCard | None = card if state is EngineState.READY else None
        self.failure: TutorError | None = None
        self.fail_with: TutorError | None = None
        self.calls: list[str] = []
        self.cancelled: list[str] = []
        self.attention_layers: list[int] = []
        """The number of layers in the attention of each x-ray."""
        self.routes: tuple[tuple[RoutedExpert, ...], ...] = ()
        """The experts in each x-ray, if the model is to be a mixture of `EXPERTS` experts."""
        self.sessions: list[FakeSession] = []
        self.restarts = 0
        self.generation = 1
        self.served = False
        self.alternative: EngineKind | None = None
        self.connected: int | None = None
        """The number of screens on the shared engine."""
        self.chosen: list[EngineKind] = []
        self.card = card
        self.hosts: list[str] = []
        """The hosts to which text may be sent."""
        self._watchers: list[Callable[[Engine], None]] = []
        self._names = 0
        self._hold_at = ""
        self._passing = 0
        self._open = asyncio.Event()
        self._open.set()

    # --- for tests ----------------------------------------------------------------------------

    def hold(self, at: str = "", after: int = 0) -> None:
        """Make requests wait from now on, or from the request named `at` on.

        The first `after` requests with this name still pass.
        """
        if at:
            self._hold_at, self._passing = at, after
        else:
            self._open.clear()

    def release(self) -> None:
        self._hold_at = ""
        self._open.set()

    def become(
        self, state: EngineState, detail: str = "", failure: TutorError | None = None
    ) -> None:
        self.state, self.detail, self.failure = state, detail, failure
        self.model = self.card if state is EngineState.READY else None
        for watcher in list(self._watchers):
            watcher(self)

    def allowed(self, model: RemoteModel) -> bool:
        return model.here or model.host in self.hosts

    def allow(self, model: RemoteModel) -> None:
        self.hosts.append(model.host)

    async def work(self, name: str) -> None:
        """Record a request, and wait or fail if a test asks for it. All requests do this."""
        self.calls.append(name)
        if name == self._hold_at:
            self._passing -= 1
            if self._passing < 0:
                self._open.clear()
        if self.state is not EngineState.READY:
            raise EngineError("The engine is not running.", "It restarts by itself.")
        self._fail()
        try:
            await self._open.wait()
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise
        self._fail()

    def _fail(self) -> None:
        if self.fail_with is not None:
            error, self.fail_with = self.fail_with, None
            raise error

    def check(self, length: int) -> None:
        if length > self.card.context:
            raise ContextFull(f"{length} tokens do not fit.", "Use a shorter text.")

    # --- Engine -------------------------------------------------------------------------------

    def watch(self, callback: Callable[[Engine], None]) -> Callable[[], None]:
        self._watchers.append(callback)
        return lambda: self._watchers.remove(callback)

    async def start(self) -> None:
        self.become(EngineState.READY)

    async def stop(self) -> None:
        self.become(EngineState.STOPPED)

    async def restart(self, model: str | None = None) -> None:
        self.restarts += 1
        self.become(EngineState.READY)

    async def learners(self) -> int | None:
        return self.connected if self.served else None

    async def choose(self, kind: EngineKind) -> None:
        """Switch to the engine of this kind, which has the model's whole context window."""
        self.chosen.append(kind)
        self.served = kind == "shared"
        self.alternative = "own" if self.served else "shared"
        if not self.served:
            self.card = msgspec.structs.replace(self.card, context=CONTEXT)
        await self.restart()

    async def ready(self) -> ModelCard:
        return self.card

    async def open_text(self, text: str) -> FakeSession:
        await self.work("open_text")
        if not text:
            raise TextError("The text is empty.", "Write at least one character.")
        return self._opened(split(text))

    async def open_chat(self, messages: Sequence[ChatMessage]) -> FakeSession:
        await self.work("open_chat")
        text = "".join(
            f"<|im_start|>{message.role}\n{message.content}<|im_end|>\n" for message in messages
        )
        return self._opened(split(text + "<|im_start|>assistant\n", special=True))

    async def open_tokens(self, ids: Sequence[int], data: Sequence[bytes] = ()) -> FakeSession:
        await self.work("open_tokens")
        return self._opened([VOCABULARY[number] for number in ids])

    async def tokenize(self, text: str) -> tuple[Token, ...]:
        await self.work("tokenize")
        return tuple(split(text))

    def lab_backend(self, lab: AnyLab) -> BackendProxy:
        return BackendProxy(self, lab)

    @property
    def own(self) -> FakeEngine:
        return self

    async def ask(
        self, expected: type[AnswerKind], request: Callable[[int], Request]
    ) -> AnswerKind:
        raise LabError("This engine does not answer labs.")

    def new_name(self) -> str:
        self._names += 1
        return f"s{self._names}"

    def discard(self, name: str) -> None:
        pass

    def _opened(self, tokens: Sequence[Token]) -> FakeSession:
        self.check(len(tokens))
        session = FakeSession(self, tokens)
        self.sessions.append(session)
        return session

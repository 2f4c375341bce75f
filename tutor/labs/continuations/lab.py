"""Many continuations of one prompt, in two ways at once, and what tells them apart."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import Choose, EditText, MoveFocus, Run, Toggle, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.progress import Progress, at_pace
from tutor.lm.dials import Dials

LONGEST = 240
"""Characters of the prompt; of a longer one the end counts."""
BEAMS = 5
LOOP = 4
"""So many tokens in a row, seen before in the same text, are a repetition."""
CHEAPER = 0.7
"""Bits a token: so much less than plain draws is likelier by a factor of 1.6 at every step."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How many continuations are drawn in one way, and how many tokens each of them has. Greedy
    decoding writes one, beam search its beams."""

    count: int = 20
    length: int = 40


LIMITS = Limits()


class Way(msgspec.Struct, frozen=True):
    """How the next token is chosen. `name` is for the screen."""

    name: str
    method: Literal["draw", "greedy", "beam"] = "draw"
    dials: Dials = Dials()


WAYS: tuple[Way, ...] = (
    Way("plain"),
    Way("temperature 0.7", dials=Dials(temperature=0.7)),
    Way("temperature 1.5", dials=Dials(temperature=1.5)),
    Way("top-p 0.9", dials=Dials(top_p=0.9)),
    Way("top-k 40", dials=Dials(top_k=40)),
    Way("min-p 0.1", dials=Dials(min_p=0.1)),
    Way("top-k 1", dials=Dials(top_k=1)),
    Way("repetition 1.3", dials=Dials(repetition=1.3)),
    Way("greedy", "greedy"),
    Way("greedy, repetition 1.3", "greedy", Dials(repetition=1.3)),
    Way(f"beam search, {BEAMS} beams", "beam"),
)


class Path(msgspec.Struct, frozen=True, array_like=True):
    """One continuation: its tokens, their bytes, and the sum of their log-probabilities (natural
    logarithms, by the model's own softmax, whatever the way). `ended` by a token that ends a
    text; after `most` tokens it is done as well."""

    ids: tuple[int, ...] = ()
    pieces: tuple[bytes, ...] = ()
    log_probability: float = 0.0
    ended: bool = False
    most: int = LIMITS.length

    @property
    def done(self) -> bool:
        return self.ended or len(self.ids) >= self.most

    @property
    def bits(self) -> float:
        """What the whole of it costs: -log2 of its probability."""
        return -self.log_probability / math.log(2)


Action = (
    EditText
    | Choose[Literal["way"]]
    | MoveFocus[Literal["continuation"]]
    | Toggle[Literal["side"]]
    | Run
)
"""`Choose` takes another way for the side that is looked at. `Run` writes both sides; where they
are written, it writes others."""


class Question(msgspec.Struct, frozen=True, tag=True):
    """Go on with these continuations for a moment."""

    text: str
    way: Way
    paths: tuple[Path, ...]
    seed: int


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The same continuations, each as long or longer; of beams, the best that there are now.
    `seconds` is how long that took."""

    paths: tuple[Path, ...]
    seconds: float


class Figures(msgspec.Struct, frozen=True):
    """What tells a set of continuations apart. `distinct` is the share of different pairs of
    tokens among all pairs (distinct-2: Li et al. 2016), `bits` what a token costs on average, -log2
    p, `loops` how many repeat themselves, `different` how many are not like another."""

    tokens: int
    distinct: float
    bits: float
    loops: int
    different: int


class State(msgspec.Struct, frozen=True, kw_only=True):
    """`ways` are places in `WAYS`; `paths` holds what was written in each of them for this prompt
    and seed. `seconds` is what a token took lately."""

    text: str
    limits: Limits = LIMITS
    left_out: int = 0
    ways: tuple[int, int] = (0, 8)
    side: int = 0
    focus: int = 0
    seed: int = 1
    running: bool = False
    paths: dict[int, tuple[Path, ...]] = {}
    seconds: float | None = None

    @property
    def shown(self) -> tuple[Path, ...]:
        return self.paths.get(self.ways[self.side], ())

    @property
    def written(self) -> Progress:
        """How many tokens of both sides are written."""
        both = set(self.ways)
        paths = (path for way in both for path in self.paths.get(way, ()))
        done = sum(path.most if path.done else len(path.ids) for path in paths)
        total = sum(self.limits.length * self.count(way) for way in both)
        return at_pace(done, total, self.seconds)

    def count(self, way: int) -> int:
        """How many continuations a way writes."""
        return {"draw": self.limits.count, "greedy": 1, "beam": BEAMS}[WAYS[way].method]

    @property
    def finished(self) -> bool:
        return all(is_finished(self, way) for way in self.ways)


def is_finished(state: State, way: int) -> bool:
    paths = state.paths.get(way, ())
    return bool(paths) and all(path.done for path in paths)


def start(limits: Limits = LIMITS) -> State:
    return State(text="I went to the store and", limits=limits)


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text):
            kept = text[-LONGEST:]
            left_out = len(text) - len(kept)
            return replace(state, text=kept, left_out=left_out, paths={}, focus=0, running=False)
        case Toggle():
            return replace(state, side=1 - state.side, focus=0)
        case Choose(by=by):
            ways = list(state.ways)
            ways[state.side] = (ways[state.side] + by) % len(WAYS)
            return replace(state, ways=(ways[0], ways[1]), focus=0)
        case MoveFocus(by=by):
            return replace(state, focus=moved(state.focus, by, len(state.shown)))
        case Run():
            if state.finished:
                return replace(state, seed=state.seed + 1, paths={}, running=True, focus=0)
            return replace(state, running=not state.running)


def question(state: State) -> Question | None:
    if not state.running or not state.text:
        return None
    way = next((way for way in state.ways if not is_finished(state, way)), None)
    if way is None:
        return None
    unwritten = (Path(most=state.limits.length),) * state.count(way)
    paths = state.paths.get(way, unwritten)
    return Question(state.text, WAYS[way], paths, state.seed)


def receive(state: State, question: Question, answer: Answer) -> State:
    way = WAYS.index(question.way)
    before = sum(len(path.ids) for path in question.paths)
    added = sum(len(path.ids) for path in answer.paths) - before
    new = replace(
        state,
        paths={**state.paths, way: answer.paths},
        seconds=answer.seconds / added if added > 0 else state.seconds,
    )
    return replace(new, running=not new.finished)


def figures(paths: Iterable[Path]) -> Figures | None:
    """None while nothing is written."""
    paths = [path for path in paths if path.ids]
    tokens = sum(len(path.ids) for path in paths)
    if not tokens:
        return None
    pairs = Counter(pair for path in paths for pair in zip(path.ids, path.ids[1:], strict=False))
    return Figures(
        tokens=tokens,
        distinct=len(pairs) / pairs.total() if pairs else 0.0,
        bits=sum(path.bits for path in paths) / tokens,
        loops=sum(map(repeats, paths)),
        different=len({path.ids for path in paths}),
    )


def repeats(path: Path) -> bool:
    """Whether `LOOP` tokens in a row occur twice."""
    runs = Counter(path.ids[at : at + LOOP] for at in range(len(path.ids) - LOOP + 1))
    return any(times > 1 for times in runs.values())


def _of(state: State, method: str) -> list[tuple[Way, tuple[Path, ...]]]:
    """What is finished of this method."""
    return [
        (WAYS[way], paths)
        for way, paths in state.paths.items()
        if WAYS[way].method == method and is_finished(state, way)
    ]


@goal("always-the-same", "Get twenty samples that are all the same")
def _always_the_same(state: State) -> bool:
    return any(len({path.ids for path in paths}) == 1 for _, paths in _of(state, "draw"))


@goal("loop-broken", "Find a greedy loop, and break it with a repetition penalty")
def _loop_broken(state: State) -> bool:
    """Greedy decoding loops without a penalty, and with one it does not."""
    found = {
        way.dials.repetition > 1: any(map(repeats, paths)) for way, paths in _of(state, "greedy")
    }
    return found.get(False) is True and found.get(True) is False


@goal("beam-beats-greedy", "Let beam search find a more probable text than greedy does")
def _beam_beats_greedy(state: State) -> bool:
    beams = [path for _, paths in _of(state, "beam") for path in paths]
    greedy = [path for way, paths in _of(state, "greedy") if way.dials == Dials() for path in paths]
    return bool(beams and greedy) and (
        max(path.log_probability for path in beams if path.done) > greedy[0].log_probability
    )


@goal("varied-and-likely", "Get 20 different ones, distinct ≥ 0.80, 0.7 bits/token below plain")
def _varied_and_likely(state: State) -> bool:
    """Twenty that differ, of tokens that the model finds likelier than its own plain draws."""
    drawn = _of(state, "draw")
    plain = [figures(paths) for way, paths in drawn if way.dials == Dials()]
    others = [figures(paths) for way, paths in drawn if way.dials != Dials()]
    return any(
        own is not None
        and other is not None
        and other.different == state.limits.count
        and other.distinct >= 0.8
        and other.bits < own.bits - CHEAPER
        for own in plain
        for other in others
    )


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="continuations",
    title="Twenty continuations",
    order=190,
    lesson="sampling",
    task=(
        "Let the model write many continuations in two ways, and compare how varied, "
        "probable and repetitive they are."
    ),
    start=start,
    act=act,
    question=question,
    receive=receive,
    goals=(_always_the_same, _loop_broken, _beam_beats_greedy, _varied_and_likely),
    solution=(
        Choose(3, "way"),  # top-p 0.9
        Toggle("side"),
        Choose(3, "way"),  # plain
        Run(),
        Choose(9, "way"),  # greedy, repetition 1.3
        Toggle("side"),
        Choose(5, "way"),  # greedy
        EditText("The best thing about the day was that"),  # loops whatever the kernels round
        Run(),
        Toggle("side"),
        Choose(1, "way"),  # beam search
        EditText("I went to the store and"),
        Run(),
        Toggle("side"),
        Choose(-2, "way"),  # top-k 1
        Run(),
    ),
)

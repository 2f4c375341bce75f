"""A lab that continues a prompt many times in two ways, and compares the continuations."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import Choose, EditText, MoveFocus, NewSeed, Run, Toggle, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.progress import Progress, at_pace
from tutor.labs.kit.results import ModelResults
from tutor.labs.kit.work import indexes, work
from tutor.language import _, ngettext
from tutor.lm.dials import Dials

LONGEST = 240
"""The maximum length of the prompt, in characters. If a prompt is longer, its beginning is cut
off."""
BEAMS = 5
LOOP = 4
"""The length of a loop, in tokens. A text contains a loop if a sequence of this length occurs
twice."""
CHEAPER = 0.7
"""The minimum reduction in mean surprisal, relative to plain sampling, that a goal requires, in
bits per token. With 0.7 bits less, a token is 1.6 times as probable (geometric mean)."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The number of samples (`count`), and the maximum number of tokens in each (`length`).

    Greedy decoding generates only one continuation. Beam search generates one for each beam.
    """

    count: int = 20
    length: int = 40


LIMITS = Limits()


class Way(msgspec.Struct, frozen=True):
    """A decoding method. `name` is its label on the screen."""

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
    """A continuation of the prompt.

    Attributes:
        ids: The token ids.
        pieces: The bytes of each token.
        log_probability: The sum of the tokens' log-probabilities in nats, before sampler settings
            are applied.
        ended: True if the model generated an end token.

    A continuation is complete if it has ended, or if it has reached the maximum length of `most`
    tokens.
    """

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
        """Return the surprisal of the whole continuation, in bits."""
        return -self.log_probability / math.log(2)


Action = (
    EditText
    | Choose[Literal["way"]]
    | MoveFocus[Literal["continuation"]]
    | Toggle[Literal["side"]]
    | NewSeed
    | Run
)
"""`Choose` selects another method for the selected side. `Run` generates the continuations of both
sides, or stops. If both sides are complete, `Run` has no effect."""


class Question(msgspec.Struct, frozen=True, tag=True):
    """A request to extend these continuations for one time slice."""

    text: str
    way: Way
    paths: tuple[Path, ...]
    seed: int


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The response to `Question`: the extended continuations, and the computing time in seconds.

    With beam search, `paths` are the best beams so far.
    """

    paths: tuple[Path, ...]
    seconds: float


class Figures(msgspec.Struct, frozen=True):
    """Statistics of a set of continuations.

    Attributes:
        tokens: The total number of tokens.
        distinct: The number of distinct bigrams, divided by the total number of bigrams
            (distinct-2, Li et al. 2016).
        bits: The mean surprisal of a token, in bits.
        loops: The number of continuations that contain a loop.
        different: The number of different continuations.
    """

    tokens: int
    distinct: float
    bits: float
    loops: int
    different: int


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        left_out: The number of characters that were cut from the prompt.
        ways: The indexes in `WAYS` of the two methods that are compared, one for each side.
        side: The selected side, 0 or 1.
        focus: The index of the selected continuation.
        paths: The continuations generated with this prompt and seed, by the index of the method.
        seconds: The time per token, measured in the latest response.
    """

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
        """Return the combined progress of both sides, in tokens."""
        both = set(self.ways)
        paths = (path for way in both for path in self.paths.get(way, ()))
        done = sum(path.most if path.done else len(path.ids) for path in paths)
        total = sum(self.limits.length * self.count(way) for way in both)
        return at_pace(done, total, self.seconds)

    def count(self, way: int) -> int:
        """Return the number of continuations that a decoding method generates."""
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
        case Run() if not state.finished:
            return replace(state, running=not state.running)
        case Run():
            return state
        case NewSeed():
            return replace(state, seed=state.seed + 1, paths={}, running=True, focus=0)


def lost(before: State, after: State) -> str:
    """Return a sentence about the texts that an action has removed or hidden.

    Returns "" if there are none.
    """
    gone = [way for way in before.ways if way not in after.ways and way in before.paths]
    if before.paths and after.text != before.text:
        return _("The texts for the earlier prompt were removed.")
    if before.paths and after.seed != before.seed:
        return _("The texts with seed {seed} were removed.").format(seed=before.seed)
    if gone:
        tokens = sum(len(path.ids) for path in before.paths[gone[0]])
        kept = ngettext(
            "The {count:,} token of “{name}” is kept.",
            "The {count:,} tokens of “{name}” are kept.",
            tokens,
        )
        return kept.format(count=tokens, name=WAYS[gone[0]].name)
    return ""


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
    """Return statistics of these continuations, or None if none of them has a token yet."""
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
    """Return True if any sequence of `LOOP` tokens occurs twice."""
    runs = Counter(path.ids[at : at + LOOP] for at in range(len(path.ids) - LOOP + 1))
    return any(times > 1 for times in runs.values())


def _of(state: State, method: str) -> list[tuple[Way, tuple[Path, ...]]]:
    """Return the entries of `WAYS` with this `method` whose continuations are all complete.

    Each entry is paired with its continuations.
    """
    return [
        (WAYS[way], paths)
        for way, paths in state.paths.items()
        if WAYS[way].method == method and is_finished(state, way)
    ]


@goal("always-the-same", "Get 20 samples that are all the same")
def _always_the_same(state: State) -> bool:
    return any(len({path.ids for path in paths}) == 1 for _, paths in _of(state, "draw"))


@goal("loop-broken", "Find a greedy loop, then break it with a repetition penalty")
def _loop_broken(state: State) -> bool:
    """Return True if greedy decoding loops without a repetition penalty, but not with one."""
    found = {
        way.dials.repetition > 1: any(map(repeats, paths)) for way, paths in _of(state, "greedy")
    }
    return found.get(False) is True and found.get(True) is False


@goal("beam-beats-greedy", "Make beam search find a more probable text than greedy decoding")
def _beam_beats_greedy(state: State) -> bool:
    beams = [path for _, paths in _of(state, "beam") for path in paths]
    greedy = [path for way, paths in _of(state, "greedy") if way.dials == Dials() for path in paths]
    return bool(beams and greedy) and (
        max(path.log_probability for path in beams if path.done) > greedy[0].log_probability
    )


@goal(
    "varied-and-likely",
    "Get 20 different texts with “distinct” at 0.8 or more, and 0.7 bits per token below the "
    "method “plain”",
)
def _varied_and_likely(state: State) -> bool:
    """Return True if a decoding method's samples are both varied and probable.

    They must all differ, repeat few bigrams, and be more probable than those of plain sampling.
    """
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


def _fit(state: State) -> bool:
    """Return True if each method's restored continuations have the right number and length."""
    return all(
        0 <= way < len(WAYS)
        and len(paths) == state.count(way)
        and all(
            len(path.ids) == len(path.pieces) <= path.most == state.limits.length for path in paths
        )
        for way, paths in state.paths.items()
    )


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="continuations",
    title="Twenty continuations",
    about="Sample one prompt twenty times in two ways, and compare",
    order=190,
    lesson="sampling",
    task=(
        "Let the model continue a prompt many times in two ways, and compare how varied, "
        "probable and repetitive the texts are."
    ),
    start=start,
    act=act,
    question=question,
    receive=receive,
    lost=lost,
    results=ModelResults(("paths",), fit=_fit),
    work=work("left_out", "seed", text=LONGEST, ways=indexes(len(WAYS)), side=2),
    goals=(_always_the_same, _loop_broken, _beam_beats_greedy, _varied_and_likely),
    solution=(
        Choose(3, "way"),  # Select top-p 0.9.
        Toggle("side"),
        Choose(3, "way"),  # Select plain sampling.
        Run(),
        Choose(9, "way"),  # Select greedy decoding with a penalty.
        Toggle("side"),
        Choose(5, "way"),  # Select greedy decoding.
        EditText("The best thing about the day was that"),  # Greedy decoding loops.
        Run(),
        Toggle("side"),
        Choose(1, "way"),  # Select beam search.
        EditText("I went to the store and"),
        Run(),
        Toggle("side"),
        Choose(-2, "way"),  # Select top-k 1.
        Run(),
    ),
)

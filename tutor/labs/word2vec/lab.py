"""A lab that trains word vectors. Words from similar contexts move together on a map."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import Adjust, Choose, EditText, MoveFocus, Run, cycled, moved
from tutor.labs.kit.lab import Goal, Lab, goal
from tutor.labs.kit.words.groups import Group, Words, own_words
from tutor.labs.kit.words.zoom import zoomed
from tutor.labs.kit.work import one_of, work
from tutor.labs.word2vec.clusters import Clustering, Point, compared, turned

SEEDS = 9
WINDOWS = (5, 2, 10)
MOST_PAIRS = 10**9
"""An upper bound for the number of pairs in a training run."""
MOST_LOOKS = 60
"""The maximum number of maps that the lab keeps during a training run."""
LOOK_EVERY = 1.12
"""The minimum factor by which the number of pairs grows between two maps that the lab keeps."""
CHOSEN = Words(
    "kinds of things",
    tuple(
        Group(name, tuple(words.split()))
        for name, words in (
            ("minerals", "copper gold iron lead zinc silver nickel tin"),
            ("crops", "wheat corn rice cotton bananas coffee sugarcane"),
            ("faiths", "muslim christian catholic protestant buddhist hindu jewish"),
            ("colors", "red white blue green yellow black"),
            ("languages", "english french spanish portuguese dutch"),
        )
    ),
)


Action = (
    Run
    | Choose[Literal["seed", "window"]]
    | EditText
    | MoveFocus[Literal["word", "map"]]
    | Adjust[Literal["zoom"]]
)
"""`Choose` selects a different seed or window, and restarts training. Along the "map" axis,
`MoveFocus` shows earlier or later maps."""


class Ask(msgspec.Struct, frozen=True, tag=True):
    """A request for the progress of a run, and its map.

    Attributes:
        seed: The seed of the run.
        window: The context window of the run.
        done: The number of pairs that the run has been trained on.
        train: True if the run is to be trained for one time slice first.
        words: The words on the map.
        focus: The word whose nearest neighbors are requested.
    """

    seed: int
    window: int
    done: int
    train: bool
    words: tuple[str, ...]
    focus: str


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The progress of a run, and its map.

    Attributes:
        began: The number of pairs before this time slice. It is lower than in the request if
            progress was lost because the engine restarted.
        done: The number of pairs trained on so far.
        total: The approximate number of pairs in the whole run.
        epoch: The current epoch, counted from 1.
        epochs: The number of epochs in the whole run.
        loss: The mean loss in this time slice in nats, or None if nothing was trained.
        seconds: The length of this time slice.
        known: For each requested word, True if it occurs in the text.
        points: The position of each known word on the map.
        shares: The fraction of the variance along each axis of the map.
        cosines: The cosine similarities of all pairs of known words.
        nearest: The nearest neighbors of the requested word, with their cosine similarities.
        vocabulary: The number of different words in the text.
    """

    began: int
    done: int
    total: int
    epoch: int
    epochs: int
    finished: bool
    loss: float | None
    seconds: float
    known: tuple[bool, ...]
    points: tuple[Point, ...]
    shares: tuple[float, float]
    cosines: tuple[tuple[float, ...], ...]
    nearest: tuple[tuple[str, float], ...]
    vocabulary: int


Question = Ask


class Look(msgspec.Struct, frozen=True):
    """The positions of the words on the map, after training on `done` pairs."""

    done: int
    points: tuple[Point, ...]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        words: The chosen words, in groups.
        seed: The seed of the run.
        window: The context window of the run.
        going: True if the run is being trained.
        done: The number of pairs trained on so far.
        now: The latest response.
        clustering: A measure of how well the words form clusters, or None if there are no two
            groups to compare.
        fresh: True if the latest response is about the current words and the selected word.
        losses: The number of pairs and the loss after each time slice.
        looks: The maps so far.
        back: The index of the map on the screen, counted back from the latest.
        seconds: The total computing time of the run.
        trained: The number of pairs trained on in `seconds`.
        focus: The index of the selected word.
        zoom: The zoom of the map.
        clustered: The seeds of the runs in which the words have formed clusters.
    """

    words: Words = CHOSEN
    seed: int = 1
    window: int = WINDOWS[0]
    going: bool = False
    done: int = 0
    now: Answer | None = None
    clustering: Clustering | None = None
    fresh: bool = False
    losses: tuple[tuple[int, float], ...] = ()
    looks: tuple[Look, ...] = ()
    back: int = 0
    seconds: float = 0.0
    trained: int = 0
    focus: int = 0
    zoom: float = 1.0
    clustered: tuple[int, ...] = ()

    @property
    def finished(self) -> bool:
        return self.now is not None and self.now.finished and self.done == self.now.done

    @property
    def speed(self) -> float | None:
        """The mean speed of this run, in pairs per second, or None if nothing was trained."""
        return self.trained / self.seconds if self.seconds > 0 else None

    @property
    def shown(self) -> Look | None:
        """The map on the screen, or None if there is no map yet."""
        return self.looks[-1 - self.back] if self.looks else None

    @property
    def known(self) -> tuple[tuple[str, int], ...]:
        """The chosen words that occur in the text, each with the index of its group."""
        if self.now is None:
            return ()
        both = zip(self.words.all, self.words.group_of, self.now.known, strict=True)
        return tuple((word, group) for word, group, known in both if known)

    @property
    def unknown(self) -> tuple[str, ...]:
        known = dict(self.known)
        return tuple(word for word in self.words.all if self.now and word not in known)

    @property
    def enough(self) -> bool:
        """True if at least two groups have three or more words that occur in the text."""
        groups = [group for _, group in self.known]
        return sum(groups.count(group) >= 3 for group in set(groups)) >= 2


def act(state: State, action: Action) -> State:
    match action:
        case Run():
            return state if state.finished else replace(state, going=not state.going, back=0)
        case Choose(by=by, what=what):
            return _again(state, by, what)
        case EditText(text=text):
            return replace(
                state,
                words=own_words(text.lower()),
                now=None,
                clustering=None,
                focus=0,
                fresh=False,
                looks=(),
                back=0,
                zoom=1.0,
            )
        case MoveFocus(by=by, axis=axis):
            if axis == "map":
                return replace(state, back=moved(state.back, -by, len(state.looks)))
            focus = (state.focus + by) % len(state.words.all)
            return replace(state, focus=focus, fresh=False)
        case Adjust(by=steps):
            return replace(state, zoom=zoomed(state.zoom, steps))


def _again(state: State, by: int, what: Literal["seed", "window"]) -> State:
    """Return the state in which training restarts with a different seed or window."""
    new = State(
        words=state.words,
        seed=state.seed,
        window=state.window,
        going=True,
        focus=state.focus,
        clustered=state.clustered,
    )
    if what == "seed":
        return replace(new, seed=(state.seed - 1 + by) % SEEDS + 1)
    return replace(new, window=cycled(WINDOWS, state.window, by))


def _mended(state: State) -> State:
    return replace(
        state,
        seed=max(1, state.seed),
        focus=moved(state.focus, 0, len(state.words.all)),
        clustered=tuple(each for each in state.clustered if 1 <= each <= SEEDS),
    )


def question(state: State) -> Question | None:
    if state.fresh and (not state.going or state.finished):
        return None
    return Ask(
        seed=state.seed,
        window=state.window,
        done=state.done,
        train=state.going and not state.finished,
        words=state.words.all,
        focus=state.words.all[state.focus],
    )


def receive(state: State, question: Question, answer: Answer) -> State:
    """Return the state with the new progress.

    If the engine restarted, the training after `answer.began` is lost, so the losses and maps after
    that point are dropped.
    """
    losses = tuple(pair for pair in state.losses if pair[0] <= answer.began)
    looks = tuple(look for look in state.looks if look.done <= answer.began)
    if answer.loss is not None:
        losses += ((answer.done, answer.loss),)
    new = replace(
        state,
        now=answer,
        fresh=True,
        done=answer.done,
        going=state.going and not answer.finished,
        losses=losses,
        looks=_kept(looks, answer),
        seconds=state.seconds + (answer.seconds if answer.loss is not None else 0.0),
        trained=state.trained + answer.done - answer.began,
    )
    back = min(state.back + len(new.looks) - len(state.looks), len(new.looks) - 1)
    groups = tuple(group for _, group in new.known)
    new = replace(
        new,
        back=max(0, back) if state.back else 0,
        clustering=compared(answer.cosines, groups) if answer.cosines else None,
    )
    if not _in_clusters(new) or new.seed in new.clustered:
        return new
    return replace(new, clustered=(*new.clustered, new.seed))


def _kept(looks: tuple[Look, ...], answer: Answer) -> tuple[Look, ...]:
    """Append the new map, rotated to match the previous one. Return all maps.

    The previous map is dropped if it has little more training than the map before it.
    """
    new = Look(answer.done, answer.points)
    if looks and len(looks[-1].points) == len(new.points):
        new = Look(new.done, turned(new.points, looks[-1].points))
    close = len(looks) >= 2 and looks[-1].done < looks[-2].done * LOOK_EVERY
    if looks and (close or looks[-1].done == new.done):
        looks = looks[:-1]
    return (*looks, new)[-MOST_LOOKS:]


def _in_clusters(state: State) -> bool:
    return state.enough and state.clustering is not None and state.clustering.clustered


@goal("own-words", "Find two groups of 3 words of your own that form clusters")
def _own(state: State) -> bool:
    """Return True if two groups form clusters and each has three words that the learner chose."""
    new = [group for word, group in state.known if word not in CHOSEN.all]
    groups = sum(new.count(group) >= 3 for group in set(new))
    return groups >= 2 and _in_clusters(state)


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="word2vec",
    title="Word vectors from scratch",
    about="Train word vectors, and watch similar words move together",
    order=80,
    lesson="embeddings",
    task=(
        "Train word vectors on plain text, and watch words that appear in similar contexts move "
        "together."
    ),
    trains=True,
    start=State,
    act=act,
    question=question,
    receive=receive,
    work=work(
        *("focus", "clustered"),
        words=lambda words: own_words(words.written.lower()),
        seed=SEEDS + 1,
        window=one_of(WINDOWS),
        done=MOST_PAIRS,
        zoom=lambda zoom: zoomed(zoom, 0),
        mend=_mended,
    ),
    goals=(
        Goal("clusters", "Train until the words form clusters", lambda s: bool(s.clustered)),
        Goal("two-seeds", "Form clusters again with a new seed", lambda s: len(s.clustered) >= 2),
        _own,
    ),
    solution=(
        Run(),
        Choose(1, "seed"),
        EditText("north south east west; machinery vehicles chemicals textiles"),
    ),
)

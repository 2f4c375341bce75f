"""A lab that shows words as points on a map.

Words with similar embeddings are close together, as far as this is possible on a plane.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import Adjust, Choose, EditText, MoveFocus, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.words.groups import SHIPPED, Words, own_words
from tutor.labs.kit.words.word import Form
from tutor.labs.kit.words.zoom import zoomed
from tutor.labs.kit.work import Refused, work

PAN_STEP = 0.25
"""The distance that the map moves with one key press, as a fraction of its visible part."""

Point = tuple[float, float]


class Pan(msgspec.Struct, frozen=True, tag_field="do", tag="pan"):
    """Move the visible part of the map by a number of steps to the right and up."""

    right: int = 0
    up: int = 0


class ShowWholeMap(msgspec.Struct, frozen=True, tag_field="do", tag="whole"):
    """Zoom out to show the whole map."""


Action = (
    Choose[Literal["map"]]
    | EditText
    | Pan
    | Adjust[Literal["zoom"]]
    | ShowWholeMap
    | MoveFocus[Literal["word"]]
)


class Question(msgspec.Struct, frozen=True, tag=True):
    words: tuple[str, ...]


class Answer(msgspec.Struct, frozen=True, tag=True):
    """A map of words.

    Attributes:
        forms: The tokens of each word.
        points: The position of each word on the map.
        shares: The fraction of the variance along each axis of the map.
        cosines: The cosine similarities of all pairs of words.
    """

    forms: tuple[Form, ...]
    points: tuple[Point, ...]
    shares: tuple[float, float]
    cosines: tuple[tuple[float, ...], ...]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        words: The available lists of words. The learner's own list, if any, comes first.
        at: The index of the list that is on the map.
        map: The map, or None until it is computed.
        focus: The index of the selected word.
        zoom: The zoom of the map. At 1, the whole map is visible.
        center: The position in the middle of the screen, or None for the middle of the map.
    """

    words: tuple[Words, ...] = SHIPPED
    at: int = 0
    map: Answer | None = None
    focus: int = 0
    zoom: float = 1.0
    center: Point | None = None

    @property
    def chosen(self) -> Words:
        return self.words[self.at]

    def nearest_on_map(self, place: int) -> int | None:
        """Return the index of the word nearest on the map to the word at index `place`, or None."""
        if self.map is None:
            return None
        here = self.map.points[place]
        others = [other for other in range(len(self.map.points)) if other != place]
        points = self.map.points
        return min(others, key=lambda other: math.dist(here, points[other]), default=None)

    def nearest_row(self, place: int) -> int | None:
        """Return the index of the word with the highest cosine to word `place`, or None."""
        if self.map is None:
            return None
        cosines = self.map.cosines[place]
        others = [other for other in range(len(cosines)) if other != place]
        return max(others, key=lambda other: cosines[other], default=None)


def act(state: State, action: Action) -> State:
    match action:
        case Choose(by=by):
            return State(words=state.words, at=(state.at + by) % len(state.words))
        case EditText(text=text):
            return State(words=(own_words(text), *SHIPPED))
        case Pan(right=right, up=up):
            return _panned(state, right, up)
        case Adjust(by=steps):
            zoom = zoomed(state.zoom, steps)
            center = state.center or _point(state, state.focus)
            return replace(state, zoom=zoom, center=None if zoom == 1 else center)
        case ShowWholeMap():
            return replace(state, zoom=1.0, center=None)
        case MoveFocus(by=by):
            focus = (state.focus + by) % len(state.chosen.all)
            center = None if state.zoom == 1 else _point(state, focus)
            return replace(state, focus=focus, center=center)


def _restored(words: tuple[Words, ...]) -> tuple[Words, ...]:
    """Return the learner's own words, checked again, and the bundled lists."""
    if not words:
        raise Refused
    return (own_words(words[0].written), *SHIPPED)


def _mended(state: State) -> State:
    state = replace(state, at=moved(state.at, 0, len(state.words)))
    return replace(state, focus=moved(state.focus, 0, len(state.chosen.all)))


def middle(points: tuple[Point, ...]) -> Point:
    xs, ys = zip(*points, strict=True)
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def _point(state: State, place: int) -> Point | None:
    return None if state.map is None else state.map.points[place]


def _panned(state: State, right: int, up: int) -> State:
    if state.map is None or state.zoom == 1:
        return state
    xs, ys = zip(*state.map.points, strict=True)
    x, y = state.center or middle(state.map.points)
    x += right * PAN_STEP * (max(xs) - min(xs)) / state.zoom
    y += up * PAN_STEP * (max(ys) - min(ys)) / state.zoom
    center = (min(max(x, min(xs)), max(xs)), min(max(y, min(ys)), max(ys)))
    return replace(state, center=center)


def question(state: State) -> Question | None:
    return Question(state.chosen.all) if state.map is None else None


def receive(state: State, question: Question, answer: Answer) -> State:
    known = replace(state, map=answer)
    if known.zoom > 1 and known.center is None:
        return replace(known, center=_point(known, known.focus))
    return known


_SHIPPED = frozenset(frozenset(group.words) for words in SHIPPED for group in words.groups)


@goal("own-groups", "Map 2 groups of 3 or more words of your own that don't mix")
def _own_groups_apart(state: State) -> bool:
    groups = [frozenset(group.words) for group in state.chosen.groups if len(group.words) >= 3]
    groups = [words for words in groups if words not in _SHIPPED]  # Bundled groups don't count.
    if not state.chosen.own or state.map is None or len(groups) < 2:
        return False
    group_of = state.chosen.group_of
    nearest = [state.nearest_on_map(place) for place in range(len(group_of))]
    return all(
        near is not None and group_of[near] == group
        for near, group in zip(nearest, group_of, strict=True)
    )


@goal("mostly-seen", "Make a map of 6 or more words that shows over 70 % of the variance")
def _mostly_seen(state: State) -> bool:
    return state.map is not None and len(state.map.points) >= 6 and sum(state.map.shares) > 0.7


@goal("misleads", "Zoom in on a word whose nearest neighbor on the map is wrong")
def _map_misleads(state: State) -> bool:
    there = state.nearest_on_map(state.focus), state.nearest_row(state.focus)
    return state.zoom > 1 and there[0] != there[1]


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="word-map",
    title="A map of words",
    about="See which words are close on a map of the embeddings",
    order=60,
    lesson="embeddings",
    task=(
        "The map projects 576-dimensional embeddings onto a plane. See which words are "
        "close together, and what the map leaves out."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    work=work(*("at", "focus"), words=_restored, zoom=lambda zoom: zoomed(zoom, 0), mend=_mended),
    goals=(_map_misleads, _own_groups_apart, _mostly_seen),
    solution=(MoveFocus(2, "word"), Adjust(2, "zoom"), EditText("cat dog cow; seven eight nine")),
)

"""A lab that compares the rows of the model's embedding table."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError
from tutor.labs.kit.actions import Choose, EditText, MoveFocus, ShowView, Toggle, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.words.word import (
    LONGEST_WORD,
    Form,
    Near,
    listed,
    of_bearable_length,
    same_letters,
)
from tutor.labs.kit.work import Refused, work
from tutor.labs.neighbors.analogies import EXAMPLES, AddAnalogy, Analogy, AskSum, Sum
from tutor.language import _
from tutor.lm.distribution import Token

NEIGHBORS = 60
"""The number of neighbors computed for a word. Other spellings of the word are included."""
NEAREST = 8
"""The number of rows listed as nearest to the sum of an analogy."""
MOST_WORDS = 10
"""The maximum number of words in the table that compares all pairs."""
MOST_ANALOGIES = 9

View = Literal["near", "pairs", "sums"]
VIEWS: tuple[View, ...] = ("near", "pairs", "sums")

OPPOSITES = (
    *("good bad", "hot cold", "up down", "left right", "old new", "black white", "love hate"),
    *("open closed", "high low", "early late", "true false", "more less", "before after"),
    *("inside outside", "always never", "strong weak", "long short", "big small", "hard soft"),
    *("summer winter", "male female", "north south", "first last", "man woman", "day night"),
    *("war peace", "win lose", "rich poor", "light dark", "easy difficult", "east west"),
    *("begin end", "buy sell", "fast slow", "happy sad", "young old", "wet dry", "life death"),
)
_OPPOSITE = {frozenset(pair.split()) for pair in OPPOSITES}


class Visit(msgspec.Struct, frozen=True, tag_field="do", tag="visit"):
    """Show the neighbors of the selected neighbor."""


Action = (
    ShowView[View]
    | EditText
    | Choose[Literal["form"]]
    | Visit
    | Toggle[Literal["spellings", "distance"]]
    | AddAnalogy
    | MoveFocus[Literal["row", "column"]]
)
"""`EditText` with the field "words" changes the words in the table of all pairs. Without a field,
it changes the word whose neighbors are shown. `Choose` selects another spelling of this word, such
as the capitalized one. `MoveFocus` along "column" only affects the table of all pairs."""


class AskNear(msgspec.Struct, frozen=True, tag=True):
    """A request for the neighbors of a token.

    The token is given by its `id`, or else by a `word` and `form`, the index of one of its
    spellings. The nearest rows are those with the highest cosine similarity or, if `by_distance` is
    True, with the smallest Euclidean distance.
    """

    word: str
    form: int
    id: int | None
    by_distance: bool = False


class AskPairs(msgspec.Struct, frozen=True, tag=True):
    words: tuple[str, ...]


Question = AskNear | AskPairs | AskSum


class Neighborhood(msgspec.Struct, frozen=True, tag=True):
    """The neighbors of a token.

    Attributes:
        forms: The spellings of the requested word. It is empty if the request had a token id.
        token: The token whose neighbors these are.
        length: The norm of the token's row.
        near: The neighbors, nearest first.
        chance: The mean cosine similarity of the token's row and the other rows of the table.
        rows: The number of rows in the table.
        chance_distance: The mean Euclidean distance of the token's row and the other rows.
    """

    forms: tuple[Form, ...]
    token: Token
    length: float
    near: tuple[Near, ...]
    chance: float
    rows: int
    chance_distance: float = 0.0


class Pairs(msgspec.Struct, frozen=True, tag=True):
    """The cosine similarities of all pairs of words.

    `forms` has the tokens of each word, and `cosines` has a row and a column for each word.
    `chance` is the mean cosine similarity of two random rows of the embedding table.
    """

    forms: tuple[Form, ...]
    cosines: tuple[tuple[float, ...], ...]
    chance: float


Answer = Neighborhood | Pairs | Sum


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        word: The word whose neighbors are shown.
        form: The index of the word's selected spelling.
        id: The id of the token whose neighbors are shown, or None if `word` and `form`
            determine the token.
        neighborhood: The neighbors, or None until they are computed.
        spellings: True if other spellings of the word are listed as neighbors.
        by_distance: True if neighbors are ranked by Euclidean distance, False if by cosine
            similarity.
        focus: The index of the selected neighbor.
        words: The words in the table of all pairs.
        left_out: The number of words that didn't fit into the table.
        pairs: The similarities of all pairs, or None until they are computed.
        cell: The selected row and column of the table.
        analogies: The analogies, with their results so far.
        analogy: The index of the selected analogy.
    """

    view: View = "near"
    word: str = "good"
    form: int = 0
    id: int | None = None
    neighborhood: Neighborhood | None = None
    spellings: bool = True
    by_distance: bool = False
    focus: int = 0
    words: tuple[str, ...] = ("cat", "dog", "car", "Monday", "Tuesday", "couch", "banana")
    left_out: int = 0
    pairs: Pairs | None = None
    cell: tuple[int, int] = (0, 1)
    analogies: tuple[Analogy, ...] = tuple(Analogy(words) for words in EXAMPLES)
    analogy: int = 0

    @property
    def forms(self) -> tuple[Form, ...]:
        """The spellings of the word, each as a sequence of tokens.

        The tuple is empty until the spellings are known. It is also empty if the request had a
        token id instead of a word.
        """
        return () if self.neighborhood is None else self.neighborhood.forms

    @property
    def near(self) -> tuple[Near, ...]:
        """The listed neighbors.

        Other spellings of the word are left out if the learner has hidden them.
        """
        if self.neighborhood is None:
            return ()
        near, token = self.neighborhood.near, self.neighborhood.token
        return near if self.spellings else others(near, token)

    @property
    def chosen(self) -> Analogy:
        return self.analogies[self.analogy]


def others(near: tuple[Near, ...], token: Token) -> tuple[Near, ...]:
    """Return the neighbors without other spellings of `token`."""
    return tuple(one for one in near if not same_letters(one.token, token))


def act(state: State, action: Action) -> State:
    match action:
        case ShowView(view=view):
            return replace(state, view=view)
        case EditText(text=text, field="words"):
            words, left_out = _some_words(text)
            return replace(state, words=words, left_out=left_out, pairs=None, cell=(0, 1))
        case EditText(text=word):
            return _visited(state, word=word.rstrip("\n")[:LONGEST_WORD], form=0, id=None)
        case Choose(by=by):
            if not state.forms:
                return state
            following = (state.form + by) % len(state.forms)
            return _visited(state, word=state.word, form=following, id=None)
        case Visit():
            if not state.near:
                return state
            token = state.near[state.focus].token
            return _visited(state, word=token.text, form=0, id=token.id)
        case Toggle(what="spellings"):
            return replace(state, spellings=not state.spellings, focus=0)
        case Toggle():
            by_distance = not state.by_distance
            return replace(state, by_distance=by_distance, neighborhood=None, focus=0)
        case AddAnalogy(a=a, b=b, c=c, expected=expected):
            new = Analogy((a, b, c, expected), own=(a, b, c, expected) not in EXAMPLES)
            kept = [old for old in state.analogies if old.words != new.words]
            return replace(state, analogies=(new, *kept)[:MOST_ANALOGIES], analogy=0)
        case MoveFocus(by=by, axis=axis):
            return _moved(state, by, axis)


def lost(before: State, after: State) -> str:
    """Return a sentence about the learner's analogy that a new one has displaced, or ""."""
    left = {each.words for each in after.analogies}
    gone = [each for each in before.analogies if each.own and each.words not in left]
    if not gone:
        return ""
    return _("The analogy “{words}” was removed to make room.").format(
        words=" ".join(gone[0].words)
    )


def _mended(state: State) -> State:
    row, column = (moved(at, 0, len(state.words)) for at in state.cell)
    return replace(state, cell=(row, column), analogy=moved(state.analogy, 0, len(state.analogies)))


def _without_sums(state: State) -> State:
    return replace(state, analogies=_analogies(state.analogies))


def _analogies(known: tuple[Analogy, ...]) -> tuple[Analogy, ...]:
    """Return the analogies without their results.

    Raises `LabError` if a word is too long, and `Refused` if the analogies are invalid.
    """
    words = [of_bearable_length(word) for each in known for word in each.words]
    if not words or not all(words):
        raise Refused
    return tuple(Analogy(each.words, own=each.own) for each in known[:MOST_ANALOGIES])


def look_up(text: str) -> EditText:
    """Return the action that looks up a word.

    Raises `LabError` if the word is empty or too long.
    """
    if not text.strip():
        raise LabError("The word is empty.", "Enter at least one letter.")
    of_bearable_length(text.strip())
    return EditText(text)


def list_words(text: str) -> EditText:
    """Return the action that compares the words in `text`.

    Raises `LabError` if there are fewer than two words.
    """
    _some_words(text)
    return EditText(text, field="words")


def _some_words(text: str) -> tuple[tuple[str, ...], int]:
    words, left_out = listed(text, MOST_WORDS)
    if len(words) < 2:
        raise LabError("At least two words are needed.", "Separate them with spaces.")
    return words, left_out


def _visited(state: State, *, word: str, form: int, id: int | None) -> State:
    return replace(state, view="near", word=word, form=form, id=id, neighborhood=None, focus=0)


def _moved(state: State, by: int, axis: Literal["row", "column"]) -> State:
    row, column = state.cell
    match state.view, axis:
        case "near", "row":
            return replace(state, focus=moved(state.focus, by, len(state.near)))
        case "pairs", "row":
            return replace(state, cell=(moved(row, by, len(state.words)), column))
        case "pairs", "column":
            return replace(state, cell=(row, moved(column, by, len(state.words))))
        case "sums", "row":
            return replace(state, analogy=moved(state.analogy, by, len(state.analogies)))
        case _:  # The other views have no columns.
            return state


def question(state: State) -> Question | None:
    match state.view:
        case "near" if state.neighborhood is None:
            return AskNear(state.word, state.form, state.id, state.by_distance)
        case "pairs" if state.pairs is None:
            return AskPairs(state.words)
        case "sums":
            unknown = [one for one in state.analogies if one.sum is None]
            return AskSum(unknown[0].words) if unknown else None
    return None


def receive(state: State, question: Question, answer: Answer) -> State:
    match answer:
        case Neighborhood():
            new = replace(state, neighborhood=answer)
            return replace(new, focus=moved(state.focus, 0, len(new.near)))
        case Pairs():
            return replace(state, pairs=answer)
        case Sum():
            assert isinstance(question, AskSum)
            known = [
                replace(one, sum=answer) if one.words == question.words else one
                for one in state.analogies
            ]
            return replace(state, analogies=tuple(known))


@goal("opposite", "Find a word whose opposite is among its 5 nearest neighbors")
def _opposite_nearby(state: State) -> bool:
    if state.neighborhood is None or state.word == State().word:
        return False
    token = state.neighborhood.token
    first = others(state.neighborhood.near, token)[:5]
    return any(
        frozenset({_bare(token), _bare(one.token)}) in _OPPOSITE for one in first
    )  # The initial word, "good", doesn't count.


def _bare(token: Token) -> str:
    return token.text.strip().casefold()


@goal(
    "by-distance",
    "Rank by distance, and find a word whose nearest row does not have the highest cosine",
)
def _another_by_distance(state: State) -> bool:
    if state.neighborhood is None or not state.by_distance:
        return False
    first, *rest = state.neighborhood.near
    return any(one.cosine > first.cosine for one in rest)


@goal("below-zero", "Find two words with a cosine below 0 in the table of all pairs")
def _below_zero(state: State) -> bool:
    return state.pairs is not None and any(
        value < 0 for row in state.pairs.cosines for value in row
    )


@goal("sum-first", "Write a sum whose answer ranks first among all rows")
def _own_comes_first(state: State) -> bool:
    return any(
        one.own and one.sum is not None and one.sum.rank == 1 and not one.same_twice
        for one in state.analogies
    )


@goal("only-without", "Write a sum that works only if its three words are left out")
def _own_only_without(state: State) -> bool:
    return any(
        one.own and one.sum is not None and one.sum.rank > 1 and one.sum.rank_without == 1
        for one in state.analogies
        if not one.same_twice
    )


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="neighbors",
    title="Neighbors",
    about="Find words with similar vectors, and add and subtract them",
    order=50,
    lesson="embeddings",
    task=(
        "Every token has a row of numbers, its embedding. Find out which rows are "
        "similar, and what you get when you add and subtract them."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    lost=lost,
    work=work(
        *("view", "form", "spellings", "by_distance", "focus", "left_out", "cell", "analogy"),
        word=lambda text: look_up(text).text,
        words=lambda words: _some_words(" ".join(words))[0],
        analogies=_analogies,
        mend=_mended,
        bare=_without_sums,
    ),
    texts=("words",),
    goals=(
        _opposite_nearby,
        _another_by_distance,
        _below_zero,
        _own_comes_first,
        _own_only_without,
    ),
    solution=(
        EditText("cold"),
        EditText("Einstein"),
        Toggle("distance"),
        EditText("cat the Monday of", field="words"),
        ShowView("pairs"),
        AddAnalogy("bigger", "big", "small", "smaller"),
        ShowView("sums"),
        AddAnalogy("sold", "sell", "buy", "bought"),
    ),
)

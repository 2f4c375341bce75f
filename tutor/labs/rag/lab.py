"""A lab that answers questions about the course, with retrieved passages in the prompt."""

from __future__ import annotations

from functools import cache
from itertools import zip_longest
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import (
    Adjust,
    Choose,
    EditText,
    MoveFocus,
    Run,
    ShowView,
    Toggle,
    cycled,
    moved,
)
from tutor.labs.kit.lab import Goal, Lab, goal
from tutor.labs.kit.results import ModelResults
from tutor.labs.kit.sentence import replaced
from tutor.labs.kit.work import Refused, work
from tutor.labs.rag import quality, questions
from tutor.labs.rag.attempt import Attempt, owed, receive_attempt
from tutor.labs.rag.questions import COURSE, Answer, Kind, Question
from tutor.retrieval.pairs import Pair, pair_of, pairs
from tutor.retrieval.ranking import first_right

FIRST_QUESTION = "What is quantization?"
LONGEST = 300
"""The maximum length of a question or of a false passage, in characters."""
KEPT = 60
"""The maximum number of earlier answers that are kept for comparison."""

Part = Literal["ask", "measure"]
View = Literal["passage", "prompt", "answers"]
VIEWS: tuple[View, ...] = ("passage", "prompt", "answers")


Choice = Literal["example", "way", "texts"]
Action = (
    EditText
    | Choose[Choice]
    | Toggle[Literal["retrieval", "part"]]
    | Adjust[Literal["passages"]]
    | MoveFocus[Literal["passage"]]
    | ShowView[View]
    | Run
)
"""`EditText` with the field "poison" sets the false passage in the index; empty text removes it.
Without a field, `EditText` asks a question. `Choose` selects the next prepared question
("example"), search method ("way") or source ("texts"). `Run` starts or stops the measurement."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        attempt: The current question, with its passages and its answer.
        way: The settings of the search.
        retrieving: True if retrieval is on.
        count: The number of passages to put into the prompt.
        example: The index of the prepared question that was last selected.
        sources: The collections of texts that can be searched.
        vectors: The progress of computing vectors, for each source and each model that computes
            vectors.
        ranks: For each prepared question and each search method, the rank of the first relevant
            passage, or 0 if none is among the first five.
        past: The earlier attempts with complete answers, latest last.
        focus: The index of the selected passage.
        quality: The state of the measurement.
    """

    attempt: Attempt
    way: questions.Way = questions.Way()
    retrieving: bool = True
    count: int = 3
    example: int = -1
    sources: tuple[questions.Source, ...] = ()
    vectors: dict[tuple[str, questions.Maker], questions.ReadSoFar] = {}
    ranks: dict[str, dict[Kind, int]] = {}
    past: tuple[Attempt, ...] = ()
    focus: int = 0
    view: View = "passage"
    part: Part = "ask"
    quality: quality.State = quality.State()

    @property
    def is_own(self) -> bool:
        """True if the learner wrote the current question."""
        prepared = (FIRST_QUESTION, *(pair.ask for pair in examples()))
        return self.attempt.query not in prepared

    @property
    def asks_of(self) -> str:
        """The name of the source that is searched. The measurement always searches the course."""
        return self.way.source if self.part == "ask" else COURSE

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The available search methods."""
        return self.quality.kinds

    @property
    def reading(self) -> questions.Maker | None:
        """The model that must compute vectors before the next search, or None."""
        if self.part == "measure":
            wanted = self.quality.running and not quality.all_ranked(self.quality)
            kinds = self.kinds if wanted else ()
        else:
            kinds = (self.way.kind,) if self.retrieving else ()
        for maker in (questions.MAKERS[kind] for kind in kinds if kind in questions.MAKERS):
            known = self.vectors.get((self.asks_of, maker))
            if known is None or known.done < known.total:
                return maker
        return None

    @property
    def read_so_far(self) -> questions.ReadSoFar | None:
        """The progress of computing vectors with the model `reading`, or None before it starts."""
        return self.vectors.get((self.asks_of, self.reading)) if self.reading else None


def start() -> State:
    return State(attempt=Attempt(FIRST_QUESTION, questions.Way(), 3))


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text, field="poison"):
            false = " ".join(text.split())[:LONGEST]
            return _again(replace(state, way=replace(state.way, poison=false), retrieving=True))
        case EditText(text=text):
            return _again(replace(state, part="ask"), " ".join(text.split())[:LONGEST])
        case Choose(by=by, what=what):
            return _chosen(state, by, what)
        case Toggle(what=what):
            if what == "retrieval":
                return _again(replace(state, retrieving=not state.retrieving))
            return replace(state, part="measure" if state.part == "ask" else "ask")
        case Adjust(by=by):
            return _again(replace(state, count=1 + moved(state.count - 1, by, questions.SHOWN)))
        case MoveFocus(by=by):
            return replace(state, focus=moved(state.focus, by, len(state.attempt.hits or ())))
        case ShowView(view=view):
            return replace(state, view=view)
        case Run():
            return replace(state, quality=quality.toggled(state.quality), part="measure")


@cache
def examples() -> tuple[Pair, ...]:
    """Return the prepared questions.

    Questions with a short answer come first. The kinds of questions alternate.
    """
    short_first = sorted(pairs(), key=lambda pair: not pair.answer)
    kinds: dict[str, list[Pair]] = {}
    for pair in short_first:
        kinds.setdefault(pair.kind, []).append(pair)
    return tuple(pair for turn in zip_longest(*kinds.values()) for pair in turn if pair)


def _chosen(state: State, by: int, what: Choice) -> State:
    match what:
        case "example":
            number = (state.example + by) % len(pairs())
            return _again(replace(state, example=number, part="ask"), examples()[number].ask)
        case "way":
            way = replace(_possible(state), kind=cycled(state.kinds, _possible(state).kind, by))
            return _again(replace(state, way=way, retrieving=True))
        case "texts":
            names = [source.name for source in state.sources]
            if len(names) < 2:
                return state
            way = replace(state.way, source=cycled(names, state.way.source, by))
            return _again(replace(state, way=way))


def lost(before: State, after: State) -> str:
    """Return a message if an example has replaced the learner's own question, or ""."""
    prepared = {FIRST_QUESTION, *(pair.ask for pair in pairs())}
    return replaced(before.attempt.query, after.attempt.query, prepared)


def _possible(state: State) -> questions.Way:
    """Return the settings for the next search.

    If the method is not available, keyword search is used. If the source is not available, the
    course is searched.
    """
    way, names = state.way, [source.name for source in state.sources]
    return replace(
        way,
        kind=way.kind if way.kind in state.kinds else "words",
        source=way.source if way.source in names else COURSE,
    )


def _bare(state: State) -> State:
    attempt = Attempt(state.attempt.query, state.attempt.way, state.attempt.count)
    return replace(state, attempt=attempt)


def _asked(attempt: Attempt) -> Attempt:
    if len(attempt.query) > LONGEST:
        raise Refused
    return attempt


def _with_poison(way: questions.Way) -> questions.Way:
    if len(way.poison) > LONGEST or len(way.source) > LONGEST:
        raise Refused
    return way


def _mended(state: State) -> State:
    return _again(replace(state, count=max(1, state.count)))


def _again(state: State, query: str | None = None) -> State:
    """Return the state with a new attempt. Without a `query`, the question stays the same.

    The attempt uses the current settings.
    """
    asked = state.attempt.query if query is None else query
    way = state.way if state.retrieving else None
    return replace(state, attempt=Attempt(asked, way, state.count), focus=0)


def question(state: State) -> Question | None:
    if not state.sources:
        return questions.Look()
    asked = _next(state)
    if asked is None and state.quality.running:
        return _next(replace(state, part="measure"))  # The measurement continues in the background.
    return asked


def _next(state: State) -> Question | None:
    """Return the next request for the question or for the measurement, whichever is shown."""
    if state.reading:
        known = state.read_so_far
        return questions.Read(state.asks_of, known.done if known else 0, state.reading)
    if state.part == "measure":
        return quality.question(state.quality)
    return owed(state.attempt)


def receive(state: State, question: Question, answer: Answer) -> State:
    match answer:
        case questions.Sources(sources=sources, encoder=encoder):
            kinds: tuple[Kind, ...] = (*questions.KINDS, "encoder") if encoder else questions.KINDS
            known = replace(state, sources=sources, quality=replace(state.quality, kinds=kinds))
            way = _possible(known)
            return known if way == known.way else _again(replace(known, way=way))
        case questions.ReadSoFar() if isinstance(question, questions.Read):
            whose = (question.source, question.maker)
            return replace(state, vectors={**state.vectors, whose: answer})
    if state.part == "measure" or question != owed(state.attempt):
        return replace(state, quality=quality.receive(state.quality, question, answer))
    attempt = receive_attempt(state.attempt, question, answer)
    state = replace(state, attempt=attempt, ranks=_ranked(state, attempt))
    if attempt.done:
        state = replace(state, past=(*state.past, attempt)[-KEPT:])
    return state


def _ranked(state: State, attempt: Attempt) -> dict[str, dict[Kind, int]]:
    """Return the ranks found so far.

    If the attempt's question is a prepared one, its result is included.
    """
    pair, way = pair_of(attempt.query), attempt.way
    if pair is None or way is None or attempt.hits is None or way.poison or way.source != COURSE:
        return state.ranks
    rank = first_right([hit.passage.id for hit in attempt.hits], pair.right)
    return {**state.ranks, pair.ask: {**state.ranks.get(pair.ask, {}), way.kind: rank}}


def _right(attempt: Attempt) -> bool:
    pair = pair_of(attempt.query)
    return attempt.done and pair is not None and pair.is_answered_by(attempt.said)


def _cited(attempt: Attempt) -> bool:
    """Return True if the answer is right and the passage that helped most is a relevant one."""
    pair = pair_of(attempt.query)
    best = attempt.cited[:1]
    return (
        _right(attempt) and pair is not None and any(hit.passage.id in pair.right for hit in best)
    )


@goal("without", "Turn a right answer wrong by switching off retrieval (t)")
def _without(state: State) -> bool:
    """Return True if a question was answered correctly with passages, but not without them."""
    with_it = {each.query for each in state.past if each.way and _right(each)}
    without = {each.query for each in state.past if not each.way and not _right(each)}
    return bool(with_it & without)


@goal("one-finds", "Find a passage with one method (k) that another one misses")
def _one_finds(state: State) -> bool:
    """Return True if one method finds a relevant passage in its top five and another doesn't.

    The merged search doesn't count.
    """
    return any(
        {bool(rank) for kind, rank in found.items() if kind != "both"} == {True, False}
        for query, found in state.ranks.items()
        if (pair := pair_of(query)) and pair.right
    )


@goal("poisoned", "Add a false passage (p) that changes an answer and is cited")
def _poisoned(state: State) -> bool:
    """Return True if an answer cites the false passage and differs from the answer without it."""
    return any(
        any(hit.false for hit in each.cited[:1])
        and any(
            other.query == each.query
            and other.way is not None
            and not other.way.poison
            and other.said != each.said
            for other in state.past
        )
        for each in state.past
    )


@goal("from-none", "Get an answer that cites no passage")
def _from_none(state: State) -> bool:
    """Return True if an answer had passages in its prompt but cites none of them."""
    return any(each.given and each.said and not each.cited for each in state.past)


def _of_own_texts(question: Question) -> bool:
    match question:
        case questions.Read(source=source) | questions.Find(way=questions.Way(source=source)):
            return source != COURSE
    return False


def _without_attempt(state: State) -> State:
    """Return the state without the measurement's unfinished answer."""
    still = replace(state.quality, running=False, attempt=None)
    return replace(state, quality=replace(still, kinds=quality.State().kinds))


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="rag",
    title="Ask about this course",
    about="Ask questions that the model answers from passages",
    order=280,
    lesson="retrieval",
    task=(
        "Ask about this course. See which passages are found and how the model uses them. "
        "Then switch retrieval off, add a false passage, and measure."
    ),
    private=_of_own_texts,
    start=start,
    act=act,
    question=question,
    receive=receive,
    lost=lost,
    results=ModelResults(
        ("quality",), fit=lambda state: quality.fits(state.quality), bare=_without_attempt
    ),
    work=work(
        *("retrieving", "view", "part", "example"),
        attempt=_asked,
        way=_with_poison,
        count=questions.SHOWN + 1,
        mend=_mended,
        bare=_bare,
    ),
    texts=("poison",),
    goals=(
        Goal(
            "cited",
            "Get a right answer to an example (x), citing a right passage",
            lambda state: any(map(_cited, state.past)),
        ),
        _without,
        _from_none,
        _poisoned,
        _one_finds,
        Goal(
            "measured",
            "Measure every search method on all questions (Tab, then r)",
            lambda state: quality.all_ranked(state.quality),
        ),
    ),
    solution=(
        EditText("What does grouped-query attention save?"),
        Toggle("retrieval"),
        Toggle("retrieval"),
        EditText("What is the password of the guest network?"),
        EditText("The password of the guest network is sunflower.", field="poison"),
        EditText("", field="poison"),
        EditText("What is the boiling point of mercury?"),
        EditText("What does softmax do with scores?"),
        Choose(1, "way"),
        Choose(-1, "way"),
        Run(),
    ),
)

"""Measure the search methods and the answers on the prepared questions.

First, each search method is measured on all questions that the course answers: recall at 5 (the
fraction of questions with a relevant passage among the first five) and MRR (the mean of 1 / rank of
the first relevant passage). Then the run stops. The next run answers the questions that have a
short answer, first all of them with passages, then all of them without.
"""

from __future__ import annotations

import statistics

import msgspec
from msgspec.structs import replace

from tutor.labs.rag import questions
from tutor.labs.rag.attempt import Attempt, owed, receive_attempt
from tutor.labs.rag.questions import Answer, Question
from tutor.retrieval.pairs import pairs
from tutor.retrieval.ranking import mean_reciprocal_rank, recall_at

COUNT = 3
"""The number of passages in the prompt."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the measurement.

    Attributes:
        kinds: The available search methods.
        ranks: For each search method, the rank of the first relevant passage for each question so
            far.
        scores: For each search method, the score of the top passage for each question so far.
        right: One value for each answer so far, which is True if the answer is right. The answers
            with passages come first, then the answers without passages.
        attempt: The answer that is being generated, or None.
        seconds: The computing time of the current stage so far. The stages are the searches and the
            answers.
    """

    kinds: tuple[questions.Kind, ...] = questions.KINDS
    running: bool = False
    ranks: dict[questions.Kind, tuple[int, ...]] = {}
    scores: dict[questions.Kind, tuple[float, ...]] = {}
    right: tuple[bool, ...] = ()
    attempt: Attempt | None = None
    seconds: float = 0.0

    @property
    def searched(self) -> tuple[int, int]:
        """The number of searches done, and the total number of searches."""
        return sum(map(len, self.ranks.values())), len(self.kinds) * len(pairs())

    @property
    def answered(self) -> tuple[int, int]:
        return len(self.right), 2 * len(short())

    @property
    def seconds_left(self) -> float | None:
        """The estimated time left in the current stage, in seconds, or None at its start."""
        done, total = self.answered if all_ranked(self) else self.searched
        return self.seconds / done * (total - done) if done else None


class Figures(msgspec.Struct, frozen=True):
    """The metrics of one search method.

    Attributes:
        recall: Recall at 5 on the questions that the course answers.
        mrr: The mean reciprocal rank on these questions.
        recall_words: Recall at 5 on the questions that use the passage's words.
        recall_paraphrase: Recall at 5 on the questions that use different words.
        first: The median score of the top passage, for the questions that the course answers.
        first_absent: The median score of the top passage, for the questions that the course doesn't
            answer.
    """

    recall: float
    mrr: float
    recall_words: float
    recall_paraphrase: float
    first: float
    first_absent: float


def short() -> list[int]:
    """Return the indexes of the prepared questions that have a short answer."""
    return [place for place, pair in enumerate(pairs()) if pair.answer]


def all_ranked(state: State) -> bool:
    return all(len(state.ranks.get(kind, ())) == len(pairs()) for kind in state.kinds)


def finished(state: State) -> bool:
    return all_ranked(state) and len(state.right) == 2 * len(short())


def fits(state: State) -> bool:
    """Return True if the restored results fit the prepared questions."""
    return len(state.right) <= 2 * len(short()) and all(
        len(state.ranks.get(kind, ())) == len(state.scores.get(kind, ())) <= len(pairs())
        for kind in state.ranks.keys() | state.scores.keys()
    )


def toggled(state: State) -> State:
    if finished(state):
        return State(kinds=state.kinds, running=True)
    return replace(state, running=not state.running)


def question(state: State) -> Question | None:
    if not state.running or finished(state):
        return None
    for kind in state.kinds:
        if (place := len(state.ranks.get(kind, ()))) < len(pairs()):
            return questions.Rank(kind, place)
    return owed(state.attempt or _next(state), citing=False)


def _next(state: State) -> Attempt:
    """Return the next attempt to answer a question.

    All questions are first answered with passages from keyword search. Then all of them are
    answered again without passages.
    """
    places = short()
    number = len(state.right)
    way = questions.Way() if number < len(places) else None
    return Attempt(pairs()[places[number % len(places)]].ask, way, COUNT)


def receive(state: State, question: Question, answer: Answer) -> State:
    if isinstance(answer, questions.Ranked) and isinstance(question, questions.Rank):
        kind = question.kind
        new = replace(
            state,
            ranks={**state.ranks, kind: (*state.ranks.get(kind, ()), *answer.ranks)},
            scores={**state.scores, kind: (*state.scores.get(kind, ()), *answer.scores)},
            seconds=state.seconds + answer.seconds,
        )
        return replace(new, running=False, seconds=0.0) if all_ranked(new) else new
    attempt = receive_attempt(state.attempt or _next(state), question, answer)
    seconds = state.seconds + (answer.seconds if isinstance(answer, questions.Written) else 0.0)
    if not attempt.ended:
        return replace(state, attempt=attempt, seconds=seconds)
    places = short()
    pair = pairs()[places[len(state.right) % len(places)]]
    answered = (*state.right, pair.is_answered_by(attempt.said))
    new = replace(state, right=answered, attempt=None, seconds=seconds)
    return replace(new, running=not finished(new))


def figures(state: State, kind: questions.Kind) -> Figures | None:
    """Return the metrics of a search method, or None until it has been run on all questions."""
    ranks, scores = state.ranks.get(kind, ()), state.scores.get(kind, ())
    if len(ranks) < len(pairs()):
        return None
    by: dict[str, list[int]] = {"words": [], "paraphrase": [], "absent": []}
    first: dict[bool, list[float]] = {True: [], False: []}
    for pair, rank, score in zip(pairs(), ranks, scores, strict=True):
        by[pair.kind].append(rank)
        first[bool(pair.right)].append(score)
    answered = by["words"] + by["paraphrase"]
    return Figures(
        recall=recall_at(answered, questions.SHOWN),
        mrr=mean_reciprocal_rank(answered),
        recall_words=recall_at(by["words"], questions.SHOWN),
        recall_paraphrase=recall_at(by["paraphrase"], questions.SHOWN),
        first=statistics.median(first[True]),
        first_absent=statistics.median(first[False]),
    )


def right(state: State, *, with_passages: bool) -> tuple[int, int]:
    """Return the number of right answers and of all answers, with or without passages."""
    count = len(short())
    answers = state.right[:count] if with_passages else state.right[count:]
    return sum(answers), len(answers)

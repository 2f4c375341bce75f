"""Strategies for events of every kind."""

from __future__ import annotations

from hypothesis import strategies as st

from tutor.learner.records import (
    Answered,
    Forgotten,
    GoalReached,
    Guessed,
    LabDone,
    LessonRead,
    Predicted,
    Suspended,
)

ids = st.sampled_from(["a", "b", "c"])
times = st.floats(0, 2e9)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)

answers = st.builds(
    Answered,
    at=times,
    question=ids,
    version=st.integers(1, 3),
    lesson=ids,
    correct=st.booleans(),
    guessed=st.booleans(),
    answer=text,
)
events = st.one_of(
    answers,
    answers,
    st.builds(Suspended, at=times, question=ids, suspended=st.booleans()),
    st.builds(Forgotten, at=times, lesson=ids, questions=st.lists(ids, max_size=2).map(tuple)),
    st.builds(LabDone, at=times, lab=ids, lesson=ids),
    st.builds(GoalReached, at=times, lab=ids, lesson=ids, goal=ids),
    st.builds(LessonRead, at=times, lesson=ids),
    st.builds(
        Predicted,
        at=times,
        prediction=ids,
        lesson=ids,
        guess=text,
        answer=text,
        off=st.none() | st.floats(-1, 1),
        right=st.none() | st.booleans(),
    ),
    st.builds(
        Guessed,
        at=times,
        text=text,
        guess=text,
        actual=text,
        rank=st.integers(1, 49_152),
        learner_bits=st.floats(0, 30),
        model_bits=st.floats(0, 30),
    ),
)

"""How many letters one token holds, on average."""

from __future__ import annotations

import msgspec

from tutor.labs.kit.actions import EditText
from tutor.labs.kit.lab import Goal, Lab

Action = EditText


class Question(msgspec.Struct, frozen=True, tag=True):
    """How many tokens does this text have?"""

    text: str


class Answer(msgspec.Struct, frozen=True, tag=True):
    tokens: int


class State(msgspec.Struct, frozen=True):
    text: str
    tokens: int | None = None

    @property
    def letters_a_token(self) -> float | None:
        return len(self.text) / self.tokens if self.tokens else None


def start() -> State:
    return State("The capital of France is Paris.")


def act(state: State, action: Action) -> State:
    return State(action.text)


def question(state: State) -> Question | None:
    return Question(state.text) if state.tokens is None else None


def receive(state: State, question: Question, answer: Answer) -> State:
    return State(question.text, answer.tokens)


def _costly(state: State) -> bool:
    return (found := state.letters_a_token) is not None and found <= 1


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="letters",
    title="Letters and tokens",
    order=25,
    lesson="tokens",
    task="Write a text in which each token holds one letter at most.",
    actions=Action,
    questions=Question,
    answers=Answer,
    start=start,
    act=act,
    question=question,
    receive=receive,
    goals=(Goal("costly", "a text with a token for each letter", _costly),),
    solution=(EditText("12345"),),
)

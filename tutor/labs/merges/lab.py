"""A lab that applies the merges of a tokenizer to a text, one at a time."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import EditText, MoveFocus, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.work import work
from tutor.labs.merges.merging import Chunk, Merge, joined

LONGEST = 300
"""The maximum length of the text, in characters. Longer texts are truncated, and the screen shows a
note."""


class Jump(msgspec.Struct, frozen=True, tag_field="do", tag="jump"):
    """Undo all merges, back to single bytes, or apply all merges to get the final tokens."""

    to: Literal["bytes", "tokens"]


Action = EditText | MoveFocus[Literal["merge"]] | Jump


class Question(msgspec.Struct, frozen=True, tag=True):
    """A request for the merges that turn a text into tokens."""

    text: str


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The merges that turn a text into tokens.

    Attributes:
        chunks: The chunks of the text, split into single bytes.
        merges: The merges to apply, in order.
        ids: The ids of the final tokens.
        rules: The total number of merges in the tokenizer.
    """

    chunks: tuple[Chunk, ...]
    merges: tuple[Merge, ...]
    ids: tuple[int, ...]
    rules: int


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        left_out: The number of characters that were cut from the text.
        at: The number of merges that have been applied.
        played: The chunks after 0 merges, after 1 merge, and so on. It is empty until the merges
            are loaded.
        merges: The merges for this text, in order.
        ids: The ids of the final tokens.
        rules: The total number of merges in the tokenizer.
    """

    text: str = "unbelievable"
    left_out: int = 0
    at: int = 0
    played: tuple[tuple[Chunk, ...], ...] = ()
    merges: tuple[Merge, ...] = ()
    ids: tuple[int, ...] = ()
    rules: int = 0

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        return self.played[self.at] if self.played else ()

    @property
    def last(self) -> Merge | None:
        """The merge that was last applied, or None before the first merge."""
        return self.merges[self.at - 1] if 0 < self.at <= len(self.merges) else None

    @property
    def following(self) -> Merge | None:
        return self.merges[self.at] if self.at < len(self.merges) else None

    @property
    def ended(self) -> bool:
        return bool(self.played) and self.following is None


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text):
            return State(text=text[:LONGEST], left_out=max(0, len(text) - LONGEST))
        case MoveFocus(by=by):
            return replace(state, at=moved(state.at, by, len(state.merges) + 1))
        case Jump(to=to):
            at = 0 if to == "bytes" else len(state.merges)
            return replace(state, at=at)


def question(state: State) -> Question | None:
    return None if state.played else Question(state.text)


def receive(state: State, question: Question, answer: Answer) -> State:
    played = [answer.chunks]
    for merge in answer.merges:
        pair = (merge.left, merge.right)
        played.append(tuple(joined(chunk, pair) for chunk in played[-1]))
    return replace(
        state,
        at=moved(state.at, 0, len(played)),
        played=tuple(played),
        merges=answer.merges,
        ids=answer.ids,
        rules=answer.rules,
    )


@goal("one-token", "Play a text of at least 10 bytes until it is a single token")
def _one_token(state: State) -> bool:
    return state.ended and sum(map(len, state.chunks)) == 1 and len(state.text.encode()) >= 10


@goal("never-joined", "Write four or more letters that no merge joins")
def _never_joined(state: State) -> bool:
    return (
        state.ended
        and state.text.isalpha()
        and len(state.text) >= 4
        and len(state.chunks) == 1
        and not state.merges
    )


@goal("rare-rule", "Find a text that uses a merge from the last 10 % of the list")
def _rare_rule(state: State) -> bool:
    last = state.last
    return last is not None and last.rank > 0.9 * state.rules


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="merges",
    title="Merge player",
    about="Merge bytes into tokens, one merge at a time",
    order=30,
    lesson="tokens",
    task=(
        "Apply the tokenizer's merges to a text, from single bytes to tokens, and see "
        "why a common word is one token and a rare word is several."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    work=work("left_out", "at", text=LONGEST),
    reset_settings=lambda state: act(state, Jump("bytes")) if state.at else None,
    goals=(_one_token, _never_joined, _rare_rule),
    solution=(
        EditText(" responsibilities"),
        Jump("tokens"),
        EditText("qxzj"),
        Jump("tokens"),
        EditText(" Kyrgyzstan"),
        Jump("tokens"),
    ),
)

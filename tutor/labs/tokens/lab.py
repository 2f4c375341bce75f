"""The lab of pieces: one text, cut four ways, down to its bytes."""

from __future__ import annotations

import re
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import Choose, EditText, MoveFocus, cycled, moved
from tutor.labs.kit.lab import Lab, goal

LONGEST = 4000
"""Characters of text that are cut: what is beyond is left out, and the screen says so."""

Cut = Literal["model", "words", "characters", "bytes"]
CUTS: tuple[Cut, ...] = ("model", "words", "characters", "bytes")


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """`id` is the number that the tokenizer has for it; None for words, which have none before a
    vocabulary is made of some text."""

    data: bytes
    id: int | None = None


Action = EditText | Choose[Literal["cut"]] | MoveFocus[Literal["piece"]]


class Question(msgspec.Struct, frozen=True, tag=True):
    """How does the model's tokenizer cut this?"""

    text: str


class Answer(msgspec.Struct, frozen=True, tag=True):
    pieces: tuple[Piece, ...]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """`pieces` are those of each way of cutting, as far as known: the model's come later.
    `left_out` counts the characters that were too many."""

    text: str
    left_out: int = 0
    cut: Cut = "model"
    focus: int = 0
    pieces: dict[Cut, tuple[Piece, ...]]

    @property
    def shown(self) -> tuple[Piece, ...]:
        return self.pieces.get(self.cut, ())

    @property
    def byte_count(self) -> int:
        return len(self.text.encode())

    def characters_per_piece(self, cut: Cut) -> float | None:
        """None while the pieces are not known, or there are none."""
        return len(self.text) / len(self.pieces[cut]) if self.pieces.get(cut) else None


def characters(text: str) -> tuple[Piece, ...]:
    """A character's number is its code point (Unicode)."""
    return tuple(Piece(character.encode(), ord(character)) for character in text)


def single_bytes(text: str) -> tuple[Piece, ...]:
    return tuple(Piece(bytes([value]), value) for value in text.encode())


def words(text: str) -> tuple[Piece, ...]:
    """Cut at white space, which stays with the word after it, so that no byte is lost."""
    return tuple(Piece(piece.encode()) for piece in re.findall(r"\s*\S+|\s+", text))


def start() -> State:
    return _on("Tokenization is unbelievably simple.")


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text):
            new = _on(text)
            return replace(new, cut=state.cut)
        case Choose(by=by):
            return replace(state, cut=cycled(CUTS, state.cut, by), focus=0)
        case MoveFocus(by=by):
            return replace(state, focus=moved(state.focus, by, len(state.shown)))


def question(state: State) -> Question | None:
    return None if "model" in state.pieces else Question(state.text)


def receive(state: State, question: Question, answer: Answer) -> State:
    return replace(state, pieces={**state.pieces, "model": answer.pieces})


def _on(text: str) -> State:
    kept = text[:LONGEST]
    return State(
        text=kept,
        left_out=len(text) - len(kept),
        pieces={"words": words(kept), "characters": characters(kept), "bytes": single_bytes(kept)},
    )


def _one_word(state: State) -> bool:
    return state.text.strip().isalpha() and len(state.pieces["words"]) == 1


@goal("five-token-word", "Find a single word that consists of 5 tokens or more")
def _five_token_word(state: State) -> bool:
    return _one_word(state) and len(state.pieces.get("model", ())) >= 5


@goal("more-than-characters", "Write a text with more tokens than characters")
def _more_tokens_than_characters(state: State) -> bool:
    return len(state.pieces.get("model", ())) > len(state.text) > 0


@goal("long-token", "Find a token of 12 bytes or more")
def _long_token(state: State) -> bool:
    return any(len(piece.data) >= 12 for piece in state.pieces.get("model", ()))


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="tokens",
    title="Tokens",
    order=20,
    lesson="tokens",
    task=(
        "Write any text and see what the model receives instead: tokens, their ids, and "
        "their bytes."
    ),
    start=start,
    act=act,
    question=question,
    receive=receive,
    goals=(_five_token_word, _more_tokens_than_characters, _long_token),
    solution=(EditText("Donaudampfschiff"), EditText("ᚠᛇᚻ"), EditText(" responsibilities")),
)

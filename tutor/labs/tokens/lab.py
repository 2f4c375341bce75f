"""A lab that splits text into tokens, words, characters or bytes."""

from __future__ import annotations

import re
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import Choose, EditText, MoveFocus, cycled, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.work import work

LONGEST = 4000
"""The maximum length of the text, in characters. Longer texts are truncated, and the screen shows a
note."""

Cut = Literal["model", "words", "characters", "bytes"]
CUTS: tuple[Cut, ...] = ("model", "words", "characters", "bytes")


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """A part of the text: a token, a word, a character or a byte.

    `id` is the token's id, the character's code point, or the byte's value. It is None for a word.
    """

    data: bytes
    id: int | None = None


Action = EditText | Choose[Literal["cut"]] | MoveFocus[Literal["piece"]]


class Question(msgspec.Struct, frozen=True, tag=True):
    """A request for the tokens of a text."""

    text: str


class Answer(msgspec.Struct, frozen=True, tag=True):
    pieces: tuple[Piece, ...]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        left_out: The number of characters that were cut from the text.
        cut: The way in which the text is split.
        focus: The index of the selected part.
        pieces: The parts of the text for each way of splitting it. The tokens are missing until
            they are computed.
    """

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
        """Return the mean number of characters in a part, or None if there are no parts yet."""
        return len(self.text) / len(self.pieces[cut]) if self.pieces.get(cut) else None


def characters(text: str) -> tuple[Piece, ...]:
    """Split a text into characters. The `id` of each is its Unicode code point."""
    return tuple(Piece(character.encode(), ord(character)) for character in text)


def single_bytes(text: str) -> tuple[Piece, ...]:
    return tuple(Piece(bytes([value]), value) for value in text.encode())


def words(text: str) -> tuple[Piece, ...]:
    """Split a text into words. A space or line break belongs to the word after it."""
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
    known = replace(state, pieces={**state.pieces, "model": answer.pieces})
    return replace(known, focus=moved(state.focus, 0, len(known.shown)))


def _on(text: str) -> State:
    kept = text[:LONGEST]
    return State(
        text=kept,
        left_out=len(text) - len(kept),
        pieces={"words": words(kept), "characters": characters(kept), "bytes": single_bytes(kept)},
    )


def _mended(state: State) -> State:
    new = replace(_on(state.text), left_out=state.left_out, cut=state.cut)
    focus = moved(state.focus, 0, len(new.shown)) if new.shown else state.focus
    return replace(new, focus=focus)


def _one_word(state: State) -> bool:
    return state.text.strip().isalpha() and len(state.pieces["words"]) == 1


@goal("five-token-word", "Find a single word that has at least 5 tokens")
def _five_token_word(state: State) -> bool:
    return _one_word(state) and len(state.pieces.get("model", ())) >= 5


@goal("more-than-characters", "Write a text with more tokens than characters")
def _more_tokens_than_characters(state: State) -> bool:
    return len(state.pieces.get("model", ())) > len(state.text) > 0


@goal("long-token", "Find a token of at least 12 bytes")
def _long_token(state: State) -> bool:
    return any(len(piece.data) >= 12 for piece in state.pieces.get("model", ()))


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="tokens",
    title="Tokens",
    about="See the tokens, ids and bytes that the model receives",
    order=20,
    lesson="tokens",
    task=(
        "Write any text and see what the model receives instead: tokens, with their ids and bytes."
    ),
    start=start,
    act=act,
    question=question,
    receive=receive,
    work=work("left_out", "cut", "focus", text=LONGEST, mend=_mended),
    goals=(_five_token_word, _more_tokens_than_characters, _long_token),
    solution=(EditText("Donaudampfschiff"), EditText("ᚠᛇᚻ"), EditText(" responsibilities")),
)

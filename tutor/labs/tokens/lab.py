"""A lab that splits text into tokens, words, characters or bytes."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.errors import LabError
from tutor.labs.kit.actions import Choose, EditText, MoveFocus, ShowView, cycled, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.work import one_of, work
from tutor.labs.tokens.side_by_side import (
    LONGEST_NAME,
    MOST_GIVEN,
    Installed,
    Listing,
    Side,
    Source,
    Split,
    twice_as_many,
)
from tutor.language import _

LONGEST = 4000
"""The maximum length of the text, in characters. Longer texts are truncated, and the screen shows a
note."""

_STEP = 20
"""The number of characters by which a key press scrolls a long text."""

Cut = Literal["model", "words", "characters", "bytes"]
CUTS: tuple[Cut, ...] = ("model", "words", "characters", "bytes")

View = Literal["split", "compare", "languages"]
VIEWS: tuple[View, ...] = ("split", "compare", "languages")


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """A part of the text: a token, a word, a character or a byte.

    `id` is the token's id, the character's code point, or the byte's value. It is None for a word.
    """

    data: bytes
    id: int | None = None


class RemoveTokenizer(msgspec.Struct, frozen=True, tag_field="do", tag="remove-tokenizer"):
    """Remove the selected tokenizer, if the learner has added it."""


Action = (
    EditText
    | Choose[Literal["cut"]]
    | MoveFocus[Literal["piece", "tokenizer", "text"]]
    | ShowView[View]
    | RemoveTokenizer
)
"""`EditText` with the field "tokenizer" adds a tokenizer from a file or folder. `MoveFocus` along
"text" scrolls a long text in steps of 20 characters."""


class Question(msgspec.Struct, frozen=True, tag=True):
    """A request for the tokens of a text."""

    text: str


class Answer(msgspec.Struct, frozen=True, tag=True):
    pieces: tuple[Piece, ...]


AnyQuestion = Question | Listing | Split
AnyAnswer = Answer | Installed | Side


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        left_out: The number of characters that were cut from the text.
        cut: The way in which the text is split.
        focus: The index of the selected part.
        pieces: The parts of the text for each way of splitting it. The tokens are missing until
            they are computed.
        view: The current view: the text with one tokenizer, the text with several tokenizers, or
            samples in several languages with several tokenizers.
        row: The index of the selected tokenizer.
        begin: The index of the first character shown in the view of several tokenizers.
        given: The files and folders that the learner has added.
        installed: The names of the other installed models, or None until they are listed.
        sides: The results of each tokenizer so far.
    """

    text: str
    left_out: int = 0
    cut: Cut = "model"
    focus: int = 0
    pieces: dict[Cut, tuple[Piece, ...]]
    view: View = "split"
    row: int = 0
    begin: int = 0
    given: tuple[str, ...] = ()
    installed: tuple[str, ...] | None = None
    sides: dict[Source, Side] = {}

    @property
    def sources(self) -> tuple[Source, ...]:
        """All tokenizers: the loaded model's, the installed ones, and those that were added."""
        installed = (Source(name) for name in self.installed or ())
        return (Source(), *installed, *(Source(path, given=True) for path in self.given))

    @property
    def rows(self) -> tuple[tuple[Source, Side | None], ...]:
        return tuple((source, self.sides.get(source)) for source in self.sources)

    @property
    def removable(self) -> bool:
        """True if the learner has added the selected tokenizer."""
        return self.view != "split" and self.row < len(self.sources) and self.selected.given

    @property
    def selected(self) -> Source:
        return self.sources[moved(self.row, 0, len(self.sources))]

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
        case EditText(text=text, field="tokenizer"):
            return _added(state, text.strip())
        case EditText(text=text):
            new = _on(text)
            return replace(
                new,
                cut=state.cut,
                view=state.view,
                row=state.row,
                given=state.given,
                installed=state.installed,
            )
        case ShowView(view=view):
            return replace(state, view=view)
        case RemoveTokenizer():
            if not state.removable:
                return state
            given = tuple(each for each in state.given if each != state.selected.name)
            sides = {each: side for each, side in state.sides.items() if each != state.selected}
            return replace(state, given=given, sides=sides, row=state.row - 1)
        case Choose(by=by):
            return replace(state, cut=cycled(CUTS, state.cut, by), focus=0)
        case MoveFocus(by=by, axis="tokenizer"):
            return replace(state, row=moved(state.row, by, len(state.sources)))
        case MoveFocus(by=by, axis="text"):
            return replace(state, begin=moved(state.begin, _STEP * by, len(state.text)))
        case MoveFocus(by=by):
            return replace(state, focus=moved(state.focus, by, len(state.shown)))


def lost(before: State, after: State) -> str:
    """Return a sentence about the tokenizer that an action has removed, or "" if there is none."""
    gone = [path for path in before.given if path not in after.given]
    if not gone:
        return ""
    return _("The tokenizer “{name}” was removed.").format(name=PurePath(gone[0]).name)


def question(state: State) -> AnyQuestion | None:
    if "model" not in state.pieces:
        return Question(state.text)
    if state.view == "split":
        return None
    if state.installed is None:
        return Listing()
    missing = next((source for source in state.sources if source not in state.sides), None)
    return None if missing is None else Split(missing, state.text)


def receive(state: State, question: AnyQuestion, answer: AnyAnswer) -> State:
    match answer:
        case Answer(pieces=pieces):
            known = replace(state, pieces={**state.pieces, "model": pieces})
            return replace(known, focus=moved(state.focus, 0, len(known.shown)))
        case Installed(names=names):
            listed = replace(state, installed=names)
            return replace(listed, row=moved(state.row, 0, len(listed.sources)))
        case Side():
            source = question.source if isinstance(question, Split) else Source()
            return replace(state, sides={**state.sides, source: answer})


def _added(state: State, path: str) -> State:
    """Return the state with the tokenizer at `path` added and selected.

    Raises `LabError` if the path is empty or too long, or if too many tokenizers were added.
    """
    if not path or len(path) > LONGEST_NAME:
        raise LabError(
            "That is not the name of a file or folder.",
            "Specify a GGUF file, a tokenizer.json, a tokenizer.model, or a folder with one.",
        )
    given = state.given if path in state.given else (*state.given, path)
    if len(given) > MOST_GIVEN:
        raise LabError(
            f"You have already added {MOST_GIVEN} tokenizers, which is the limit.",
            "Remove one of them first.",
        )
    view: View = "compare" if state.view == "split" else state.view
    new = replace(state, given=given, view=view)
    return replace(new, row=new.sources.index(Source(path, given=True)))


def _few_names(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the valid restored paths without duplicates, up to the maximum number."""
    names = (each for each in dict.fromkeys(given) if 0 < len(each) <= LONGEST_NAME)
    return tuple(names)[:MOST_GIVEN]


def _on(text: str) -> State:
    kept = text[:LONGEST]
    return State(
        text=kept,
        left_out=len(text) - len(kept),
        pieces={"words": words(kept), "characters": characters(kept), "bytes": single_bytes(kept)},
    )


def _mended(state: State) -> State:
    new = replace(
        _on(state.text),
        left_out=state.left_out,
        cut=state.cut,
        view=state.view,
        row=state.row,
        begin=moved(state.begin, 0, len(state.text)),
        given=state.given,
    )
    focus = moved(state.focus, 0, len(new.shown)) if new.shown else state.focus
    return replace(new, focus=focus)


def _one_word(state: State) -> bool:
    return state.text.strip().isalpha() and len(state.pieces["words"]) == 1


@goal("five-token-word", "Write a text of one word that has at least 5 tokens")
def _five_token_word(state: State) -> bool:
    return _one_word(state) and len(state.pieces.get("model", ())) >= 5


@goal("more-than-characters", "Write a text with more tokens than characters")
def _more_tokens_than_characters(state: State) -> bool:
    return len(state.pieces.get("model", ())) > len(state.text) > 0


@goal("long-token", "Find a token of at least 12 bytes")
def _long_token(state: State) -> bool:
    return any(len(piece.data) >= 12 for piece in state.pieces.get("model", ()))


@goal("twice-as-many", "Write a text with twice as many tokens in one tokenizer as in another")
def _twice_as_many(state: State) -> bool:
    return twice_as_many(state.text, state.sides)


LAB: Lab[State, Action, AnyQuestion, AnyAnswer] = Lab(
    name="tokens",
    title="Tokens",
    about="See the tokens, ids and bytes that the model receives",
    order=20,
    lesson="tokens",
    task=(
        "Write any text and see what the model receives instead: tokens, with their ids and bytes. "
        "Then compare several tokenizers on the same text."
    ),
    start=start,
    act=act,
    question=question,
    receive=receive,
    lost=lost,
    work=work(
        *("left_out", "cut", "focus", "row", "begin"),
        text=LONGEST,
        view=one_of(VIEWS),
        given=_few_names,
        mend=_mended,
    ),
    goals=(_five_token_word, _more_tokens_than_characters, _long_token, _twice_as_many),
    solution=(
        EditText("Donaudampfschiff"),
        EditText("ᚠᛇᚻ"),
        EditText(" responsibilities"),
        ShowView("compare"),
    ),
    private=lambda question: isinstance(question, Split) and question.source.given,
    opens=lambda action: isinstance(action, EditText) and action.field == "tokenizer",
    texts=("tokenizer",),
)

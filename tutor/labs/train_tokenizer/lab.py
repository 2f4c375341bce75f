"""A lab that trains tokenizers with vocabularies of different sizes."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.labs.kit.actions import Adjust, EditText, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.work import work
from tutor.language import _

LONGEST = 20_000
"""The maximum length of the learner's training text, in characters. Longer texts are truncated."""
SIZES = (256, 288, 320, 384, 512, 768, 1024, 1536, 2048, 3072, 4096)
"""The vocabulary sizes to choose from. The smallest has only the 256 bytes. The training text can
be too short for the largest ones."""
BYTES = SIZES[0]
"""The size of the vocabulary before the first merge."""
FIRST = 2
SHOWN = 60
"""The maximum number of merges listed."""


class TrainOnLessons(msgspec.Struct, frozen=True, tag_field="do", tag="lessons"):
    """Use the lessons of this course as the training text again."""


Action = EditText | TrainOnLessons | Adjust[Literal["size"]]
"""`EditText` changes the text to tokenize if its field is "tried", otherwise the training text."""


class Question(msgspec.Struct, frozen=True, tag=True):
    """A request to train a tokenizer with `size` tokens, and to tokenize `tried` with it.

    The training text is `text`, or the lessons if `text` is None.
    """

    text: str | None
    size: int
    tried: str


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The results of a trained tokenizer.

    Attributes:
        tokens: The number of tokens in the training text.
        byte_count: The length of the training text, in bytes.
        merges: The first merges, in the order of training.
        found: The total number of merges.
        pieces: The tokens of the text to tokenize.
        model_pieces: The number of tokens that the model's own tokenizer needs for that text.
    """

    tokens: int
    byte_count: int
    merges: tuple[bytes, ...]
    found: int
    pieces: tuple[bytes, ...]
    model_pieces: int

    @property
    def size(self) -> int:
        """The size of the vocabulary. It can be less than the size that was asked for."""
        return BYTES + self.found


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        own: The learner's training text, or None for the lessons.
        left_out: The number of characters that were cut from the training text.
        size: The index of the vocabulary size in `SIZES`.
        tried: The text to tokenize.
        runs: The results so far, by vocabulary size.
        last_own: The training text that the learner used most recently, or "".
    """

    own: str | None = None
    left_out: int = 0
    size: int = FIRST
    tried: str = " tokenization"
    runs: dict[int, Answer] = {}
    last_own: str = ""

    @property
    def run(self) -> Answer | None:
        """The results for the selected vocabulary size, or None until they are computed."""
        run = self.runs.get(SIZES[self.size])
        return run if run is not None and b"".join(run.pieces) == self.tried.encode() else None


def bytes_a_token(run: Answer) -> float:
    return run.byte_count / run.tokens if run.tokens else 0.0


def saved(state: State) -> float | None:
    """Return the share of tokens saved compared with half the vocabulary, or None if unknown."""
    run = state.run
    half = next((each for each in state.runs.values() if run and 2 * each.size == run.size), None)
    return 1 - run.tokens / half.tokens if run and half and half.tokens else None


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text, field="tried"):
            return replace(state, tried=text)
        case EditText(text=text):
            kept = text[:LONGEST]
            return replace(state, own=kept, last_own=kept, left_out=len(text) - len(kept), runs={})
        case TrainOnLessons():
            return replace(state, own=None, left_out=0, runs={})
        case Adjust(by=by):
            return replace(state, size=moved(state.size, by, len(SIZES)))


def lost(before: State, after: State) -> str:
    """Return a message if an action has removed the learner's training text, or ""."""
    return _("Your own text was removed.") if before.own and after.own is None else ""


def question(state: State) -> Question | None:
    return None if state.run else Question(state.own, SIZES[state.size], state.tried)


def receive(state: State, question: Question, answer: Answer) -> State:
    return replace(state, runs={**state.runs, question.size: answer})


@goal("three-bytes", "Reach at least 3 bytes per token on the lessons")
def _three_bytes(state: State) -> bool:
    return state.own is None and any(bytes_a_token(run) >= 3 for run in state.runs.values())


@goal("twice-for-little", "Double the vocabulary and save less than 1/6 of the tokens")
def _twice_for_little(state: State) -> bool:
    tokens = {run.size: run.tokens for run in state.runs.values()}
    return state.own is None and any(
        tokens[2 * size] > 5 / 6 * tokens[size] for size in tokens if 2 * size in tokens
    )


@goal("own-word", "Find a word that is 1 token here but 3 or more for the model")
def _own_word(state: State) -> bool:
    """Return True if the text is one token here, but at least three for the model's tokenizer."""
    run = state.run
    return run is not None and len(run.pieces) == 1 and run.model_pieces >= 3


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="train-tokenizer",
    title="Train a tokenizer",
    about="Train a tokenizer, and see what a larger vocabulary saves",
    order=40,
    lesson="tokens",
    task=(
        "Train a tokenizer on the text of this course or on your own text. Change the size "
        "of its vocabulary and see how many tokens a larger one saves."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    lost=lost,
    work=work("left_out", "tried", own=LONGEST, last_own=LONGEST, size=len(SIZES)),
    reset_settings=lambda s: act(s, TrainOnLessons()) if s.own is not None else None,
    texts=("tried",),
    goals=(_three_bytes, _twice_for_little, _own_word),
    solution=(
        Adjust(2, "size"),
        Adjust(2, "size"),
        Adjust(2, "size"),
        Adjust(2, "size"),
        Adjust(-1, "size"),
        Adjust(-2, "size"),
        EditText("the wobblefrog met a wobblefrog, and the wobblefrog sang " * 3),
        EditText(" wobblefrog", field="tried"),
    ),
)

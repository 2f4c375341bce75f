"""A lab that gives the same text to an encoder, a decoder and an encoder-decoder.

Each of the models was trained on a task that is typical of its family.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.errors import TextError
from tutor.labs.families.answers import FAMILIES, PARTS, Answer, Attention, Family, Part, Question
from tutor.labs.kit.actions import Choose, EditText, MoveFocus, ShowView, Toggle, cycled
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.sentence import replaced
from tutor.labs.kit.work import work
from tutor.lm.training.recipes.families.language import (
    MANY_NOUNS,
    MANY_VERBS,
    ONE_PLACES,
    PREPOSITION_WORDS,
)
from tutor.lm.training.recipes.families.text import BLANK, words_of

MOST_WORDS = 20
"""The maximum number of words in the text. Longer texts are truncated. The models were trained on
sentences of up to 17 words."""
MOST_DIGITS = 6
"""The maximum number of digits in a number. The encoder-decoder was trained on numbers up to
999,999."""

EXAMPLES: dict[Family, tuple[str, ...]] = {
    "encoder": (
        "the old _ sleeps near the house .",
        "the _ near the trees barks .",
        "there _ three small dogs behind the wall .",
        "the _ sees herself .",
        "_ angry dog barks because it is hungry .",
    ),
    "decoder": (
        "the old _ sleeps near the house .",
        "the dogs near",
        "every morning the girl",
        "there are",
        "a young bee behind the wall",
    ),
    "encoder-decoder": (
        "407",
        "the dog near the trees barks because it is hungry .",
        "17017",
        "a girl sees herself .",
        "90210",
    ),
}
"""Example texts for each family."""


Axis = Literal["layer", "head", "row"]
"""The axes along which the focus moves. Along "head", the mean of all heads comes before the first
head."""
Action = (
    EditText
    | Choose[Literal["family", "example"]]
    | ShowView[Part]
    | MoveFocus[Axis]
    | Toggle[Literal["masks"]]
)
"""`Choose` selects the next family for the same text, or the next example for this family.
`ShowView` shows another kind of attention. `Toggle` switches between the attention weights and the
mask."""


class Blank(msgspec.Struct, frozen=True):
    """A blank that the encoder filled with `word`, and the words before and after the blank."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    word: str


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        text: The text as the learner wrote it.
        words: The words of the text that the models process.
        left_out: The number of words, or of digits, that were cut from the text.
        part: The kind of attention that is shown.
        masks: True if the screen shows the mask instead of the attention weights.
        layer: The selected layer, counted from 0.
        head: The selected head, counted from 1, or 0 for the mean of all heads.
        row: The selected row of the attention map, or None for the default row.
        answers: The models' outputs for this text, by family.
        earlier: The first blank of the previous text, as filled by the encoder.
    """

    text: str
    words: tuple[str, ...]
    left_out: int = 0
    family: Family = "encoder"
    part: Part = "reading"
    masks: bool = False
    layer: int = 1
    head: int = 0
    row: int | None = None
    example: int = 0
    answers: dict[Family, Answer] = {}
    earlier: Blank | None = None

    @property
    def answer(self) -> Answer | None:
        return self.answers.get(self.family)

    @property
    def attention(self) -> Attention | None:
        return None if self.answer is None else self.answer.attention[self.part]

    @property
    def focus(self) -> int:
        """The index of the selected row. By default, it is the row of the first generated word."""
        if self.row is not None:
            return self.row
        said = self.answer.said if self.answer is not None else ()
        return said[0].row if said else 0

    @property
    def number(self) -> bool:
        return bool(self.words) and all(word.isdigit() for word in self.words)

    @property
    def blank(self) -> Blank | None:
        """The first blank as the encoder filled it, or None if the encoder has no result yet."""
        answer = self.answers.get("encoder")
        if answer is None or not answer.said:
            return None
        place = self.words.index(BLANK)
        return Blank(self.words[:place], self.words[place + 1 :], answer.said[0].word)


def text(written: str) -> str:
    """Return `written` unchanged. Raises `TextError` if it contains no words."""
    if not words_of(written):
        raise TextError("The text contains no words.", "Write a sentence, with _ for a blank.")
    return written


def start() -> State:
    return _with_text(State(text="", words=()), EXAMPLES["encoder"][0])


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=written):
            return _with_text(state, text(written))
        case Choose(by=by, what="family"):
            family = cycled(FAMILIES, state.family, by)
            return _within(replace(state, family=family, part=PARTS[family][0], row=None))
        case Choose(by=by):
            examples = EXAMPLES[state.family]
            place = (state.example + by) % len(examples)
            return replace(_with_text(state, examples[place]), example=place)
        case Toggle():
            return replace(state, masks=not state.masks)
        case ShowView(view=part):
            wanted = part if part in PARTS[state.family] else state.part
            return _within(replace(state, part=wanted, row=None))
        case MoveFocus(by=by, axis=axis):
            return _within(_focused(state, axis, by))


def lost(before: State, after: State) -> str:
    """Return a message if an example has replaced the learner's own text, or ""."""
    return replaced(
        before.text, after.text, {each for texts in EXAMPLES.values() for each in texts}
    )


def _mended(state: State) -> State:
    parts = PARTS[state.family]
    part = state.part if state.part in parts else parts[0]
    return replace(_with_text(state, state.text), part=part, row=state.row)


def _focused(state: State, axis: Axis, by: int) -> State:
    match axis:
        case "layer":
            return replace(state, layer=max(0, state.layer + by))
        case "head":
            return replace(state, head=max(0, state.head + by))
        case "row":
            return replace(state, row=max(0, state.focus + by))


def question(state: State) -> Question | None:
    return None if state.answer is not None else Question(state.family, state.words)


def receive(state: State, question: Question, answer: Answer) -> State:
    answers = {**state.answers, question.family: answer}
    return _within(replace(state, answers=answers))


def _with_text(state: State, written: str) -> State:
    words = words_of(written)
    if all(word.isdigit() for word in words):
        words = tuple("".join(words).lstrip("0") or "0")
        kept = words[:MOST_DIGITS]
    else:
        kept = words[:MOST_WORDS]
    return replace(
        state,
        text=written,
        words=kept,
        left_out=len(words) - len(kept),
        answers={},
        earlier=state.blank or state.earlier,
        row=None,
    )


def _within(state: State) -> State:
    """Return the state with layer, head and row clamped to the size of the attention map."""
    attention = state.attention
    if attention is None:
        return state
    return replace(
        state,
        layer=min(state.layer, attention.layers - 1),
        head=min(state.head, attention.heads),
        row=None if state.row is None else min(state.row, len(attention.rows) - 1),
    )


SURE = 0.9
UNSURE = 0.1
MOST = 0.5


@goal("right-side", "Find a blank that the encoder fills with over 90 % and the decoder under 10 %")
def _needs_the_right(state: State) -> bool:
    answer = state.answers.get("encoder")
    return answer is not None and any(
        said.probability >= SURE and said.left_probability <= UNSURE for said in answer.said
    )


@goal("turned", "Change only the words after a blank so that the guess changes")
def _turned_from_the_right(state: State) -> bool:
    now, earlier = state.blank, state.earlier
    return (
        now is not None
        and earlier is not None
        and bool(now.before)
        and now.before == earlier.before
        and now.after != earlier.after
        and now.word != earlier.word
    )


@goal("agreement", "Get a plural verb from the decoder for “the dogs near the tree”")
def _agrees_at_a_distance(state: State) -> bool:
    """Return True if the verb agrees with a plural noun, despite a nearer singular noun."""
    answer = state.answers.get("decoder")
    if answer is None or not answer.said or BLANK in state.words[:-1]:
        return False
    words = [word for word in state.words if word not in (BLANK, ".")]
    return (
        len(words) >= 4
        and words[-4] in MANY_NOUNS
        and words[-3] in PREPOSITION_WORDS
        and words[-1] in ONE_PLACES
        and answer.said[0].word in MANY_VERBS
    )


@goal(
    "which-of-two",
    "In the attention across (a), find a row with half its weight on a word's second occurrence",
)
def _finds_which_of_two(state: State) -> bool:
    """Return True if at least half of a row's attention goes to a word's second occurrence.

    Only cross-attention counts. Its weights show which of the two identical words an output word
    comes from.
    """
    attention = state.attention
    if attention is None or state.part != "across" or state.masks:
        return False
    taken = attention.row(state.layer, state.head, state.focus)
    most = max(range(len(taken)), key=lambda column: taken[column])
    return taken[most] >= MOST and attention.columns[most] in attention.columns[:most]


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="families",
    title="Three families of Transformers",
    about="Give one text to an encoder, a decoder, and both combined",
    order=120,
    lesson="attention",
    task=(
        "Give the same text to three small models. The encoder fills in the blank (_), the decoder "
        "continues the text, and the encoder-decoder transforms it: a number into words, or "
        "singular into plural."
    ),
    start=start,
    act=act,
    question=question,
    receive=receive,
    lost=lost,
    work=work(
        "family", "part", "masks", "layer", "head", "row", "example", text=text, mend=_mended
    ),
    goals=(_needs_the_right, _turned_from_the_right, _agrees_at_a_distance, _finds_which_of_two),
    solution=(
        EditText("the _ barks ."),
        EditText("the _ bark ."),
        Choose(1, "family"),  # Select the decoder.
        EditText("the wolves behind the city"),
        Choose(1, "family"),  # Select the encoder-decoder.
        EditText("the bee near the house buzzes ."),
        MoveFocus(3, "row"),
    ),
)

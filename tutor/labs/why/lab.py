"""A lab that explains the logit of a token, or the difference between the logits of two tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from tutor.errors import TextError
from tutor.labs.kit.actions import Choose, EditText, MoveFocus, ShowView, moved
from tutor.labs.kit.lab import Lab, goal
from tutor.labs.kit.progress import Progress
from tutor.labs.kit.sentence import replaced, sentence
from tutor.labs.kit.work import Refused, work
from tutor.language import _
from tutor.lm.attribution import Attribution, Contribution, Occlusion, Part
from tutor.lm.distribution import Token

MOST_TOKENS = 32
"""The maximum number of tokens in the text. Longer texts are truncated."""
MOST_ADDED = 8
"""The maximum number of tokens that can be added to the table of next tokens."""
_LONGEST_WORD = 60
_ADDED = -1
"""The row of the token that was last added, while its position in the table is not known yet."""

View = Literal["next", "parts", "map", "head", "tokens"]
VIEWS: tuple[View, ...] = ("next", "parts", "map", "head", "tokens")
_OF_PARTS = ("parts", "map", "head")
"""The views in which a part of the network is selected."""


class Example(msgspec.Struct, frozen=True):
    """A text, and words that its table of next tokens contains in addition to the top tokens."""

    text: str
    words: tuple[str, ...] = ()


EXAMPLES = (
    Example("The capital of France is", (" London",)),
    Example("The capital of Italy is", (" Paris",)),
    Example("The keys to the cabinet", (" is",)),
    Example("When Mary and John went to the store, John gave a drink to", (" John",)),
)


class Explain(msgspec.Struct, frozen=True, tag_field="do", tag="explain"):
    """Explain the logit of the token that is selected in the table of next tokens."""


class Contrast(msgspec.Struct, frozen=True, tag_field="do", tag="contrast"):
    """Compare the token being explained with the selected token, or stop comparing.

    While two tokens are compared, the difference between their logits is explained.
    """


class ShowHead(msgspec.Struct, frozen=True, tag_field="do", tag="show-head"):
    """Show how much each token adds to the contribution of the selected part."""


Axis = Literal["row", "rank", "layer", "part", "token"]
Action = (
    EditText
    | ShowView[View]
    | MoveFocus[Axis]
    | Choose[Literal["example"]]
    | Explain
    | Contrast
    | ShowHead
)


class Next(msgspec.Struct, frozen=True, tag=True):
    """A request for the most probable next tokens, the tokens of `words`, and the tokens `ids`."""

    text: str
    words: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()


class Split(msgspec.Struct, frozen=True, tag=True):
    """A request for the contributions of all parts to the logit of `target` minus `against`."""

    text: str
    target: int
    against: int | None


class Sources(msgspec.Struct, frozen=True, tag=True):
    """A request to split each head's contribution by token."""

    text: str
    target: int
    against: int | None


class Remove(msgspec.Struct, frozen=True, tag=True):
    """A request for the effect of removing the token at `index`."""

    text: str
    index: int
    target: int
    against: int | None


Question = Next | Split | Sources | Remove


class Candidate(msgspec.Struct, frozen=True):
    """A possible next token."""

    token: Token
    probability: float
    logit: float


class Candidates(msgspec.Struct, frozen=True, tag=True):
    """The tokens of a text, and possible next tokens, the most probable one first.

    Attributes:
        left_out: The number of tokens that were cut from the text.
        heads: The number of heads in each layer.
        words: The ids of the tokens that the request's words stand for.
    """

    tokens: tuple[Token, ...]
    left_out: int
    layers: int
    heads: int
    rows: tuple[Candidate, ...]
    words: tuple[int, ...] = ()


class Contributions(msgspec.Struct, frozen=True, tag=True):
    """The response to `Split`: the contributions of all parts."""

    of: Attribution


class HeadSources(msgspec.Struct, frozen=True, tag=True):
    """The attention of each head to each token, and the token's part of the head's contribution.

    Both are 32-bit floats [layers, heads, T].
    """

    attention: bytes
    logits: bytes


class Removed(msgspec.Struct, frozen=True, tag=True):
    """The response to `Remove`: the effect of removing a token."""

    of: Occlusion


Answer = Candidates | Contributions | HeadSources | Removed | Progress


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the lab.

    Attributes:
        example: The index of the latest example.
        words: The texts of tokens that the table of next tokens always contains.
        target: The token that the learner has chosen to explain. If it is None, the most probable
            next token is explained.
        against: The token whose logit is subtracted.
        row: The index of the selected row in the table of next tokens.
        part: The part of the network that is selected, or None for the strongest part.
        token: The index of the selected token of the text.
        candidates: The possible next tokens, or None until they are computed.
        split: The contributions of all parts.
        sources: The amount that each token adds to the contribution of each head.
        removed: The effect of removing a token, by the index of the token.
        progress: The progress of the current request.
    """

    text: str = EXAMPLES[0].text
    view: View = "next"
    example: int = 0
    words: tuple[str, ...] = EXAMPLES[0].words
    target: Token | None = None
    against: Token | None = None
    row: int = 0
    part: Part | None = None
    token: int = 0
    candidates: Candidates | None = None
    split: Attribution | None = None
    sources: HeadSources | None = None
    removed: dict[int, Occlusion] = {}
    progress: Progress | None = None

    @property
    def tokens(self) -> tuple[Token, ...]:
        return () if self.candidates is None else self.candidates.tokens

    @property
    def explained(self) -> Token | None:
        """The token whose logit is explained, or None until the most probable token is known."""
        if self.target is not None or self.candidates is None:
            return self.target
        return self.candidates.rows[0].token

    def candidate(self, token: Token | None) -> Candidate | None:
        """Return a token's row in the table of next tokens, or None if it has none."""
        rows = () if self.candidates is None else self.candidates.rows
        return next((row for row in rows if row.token == token), None)

    @property
    def logit(self) -> float:
        """The logit of the target token, minus the logit of the other token if there is one."""
        explained, against = self.candidate(self.explained), self.candidate(self.against)
        return (explained.logit if explained else 0.0) - (against.logit if against else 0.0)

    @property
    def ranking(self) -> tuple[Contribution, ...]:
        """The contributions of all parts, the largest absolute values first."""
        return () if self.split is None else self.split.contributions

    @property
    def selected(self) -> Contribution | None:
        """The contribution of the selected part."""
        ranking = self.ranking
        chosen = (each for each in ranking if each.part == self.part)
        return next(chosen, ranking[0]) if ranking else None

    def attention(self, part: Part) -> Sequence[float]:
        """Return a head's attention to each token, or an empty sequence if it isn't known."""
        return () if self.sources is None else self._of_head(self.sources.attention, part)

    def from_tokens(self, part: Part) -> Sequence[float]:
        """Return how much each token adds to a head's contribution, or () if it isn't known."""
        return () if self.sources is None else self._of_head(self.sources.logits, part)

    def of_token(self, index: int) -> float | None:
        """Return how much a token adds to the contributions of all heads, or None if unknown."""
        if self.sources is None or not self.tokens:
            return None
        return sum(memoryview(self.sources.logits).cast("f")[index :: len(self.tokens)])

    def _of_head(self, data: bytes, part: Part) -> Sequence[float]:
        if part.layer is None or part.head is None or self.candidates is None:
            return ()
        count = len(self.tokens)
        start = (part.layer * self.candidates.heads + part.head) * count
        return memoryview(data).cast("f")[start : start + count]


def act(state: State, action: Action) -> State:
    match action:
        case EditText(text=text, field="token"):
            words = (*state.words, added_word(text))[-MOST_ADDED:]
            return replace(state, words=words, candidates=None, row=_ADDED, view="next")
        case EditText(text=text):
            return State(text=sentence(text), words=(), example=state.example, view=state.view)
        case ShowView(view=view):
            return replace(state, view=view, progress=None)
        case Choose(by=by):
            at = (state.example + by) % len(EXAMPLES)
            chosen = EXAMPLES[at]
            return State(text=chosen.text, words=chosen.words, example=at, view=state.view)
        case MoveFocus(by=by, axis=axis):
            return _focused(state, by, axis)
        case ShowHead():
            return state if state.selected is None else replace(state, view="head", progress=None)
        case Explain() | Contrast():
            return _chosen(state, action)


def lost(before: State, after: State) -> str:
    """Return a sentence about the texts that an action has removed, or "" if there are none."""
    if before.text != after.text:
        return replaced(before.text, after.text, {each.text for each in EXAMPLES})
    gone = [word for word in before.words if word not in after.words]
    return _("The token “{word}” was removed to make room.").format(word=gone[0]) if gone else ""


def added_word(text: str) -> str:
    """Return the text of a token as the learner has typed it, with spaces for `␣`.

    Raises `TextError` if it is empty or too long for a token.
    """
    word = text.replace("␣", " ")
    if not word:
        raise TextError("The text is empty.", "Write a word, such as ␣London.")
    if len(word) > _LONGEST_WORD:
        raise TextError("This is longer than any token.", "Write one word, such as ␣London.")
    return word


def _focused(state: State, by: int, axis: Axis) -> State:
    found = state.candidates
    if found is None:
        return state
    match axis:
        case "row":
            return replace(state, row=moved(state.row, by, len(found.rows)))
        case "token":
            return replace(state, token=moved(state.token, by, len(found.tokens)))
    selected = state.selected
    if selected is None:
        return state
    if axis == "rank":
        ranking = state.ranking
        at = moved(ranking.index(selected), by, len(ranking))
        return replace(state, part=ranking[at].part)
    return replace(state, part=_neighbor(selected.part, by, axis, found))


def _neighbor(part: Part, by: int, axis: Literal["layer", "part"], of: Candidates) -> Part:
    """Return the part that is `by` steps away on the map.

    The map has a row for each layer, with the heads from left to right and the feed-forward network
    on the right. From the embedding, which isn't on the map, every step leads to the first layer.
    """
    if part.layer is None:
        return Part(0, 0)
    layer, row = part.layer, of.heads if part.head is None else part.head
    if axis == "layer":
        layer = moved(layer, by, of.layers)
    else:
        row = moved(row, by, of.heads + 1)
    return Part(layer, row if row < of.heads else None)


def _chosen(state: State, action: Explain | Contrast) -> State:
    explained = state.explained
    if state.candidates is None or explained is None:
        return state
    token = state.candidates.rows[state.row].token
    match action:
        case Explain():
            # If the learner explains the token that the target is compared with, swap the two.
            swapped = token == state.against
            return _explaining(state, token, explained if swapped else state.against)
        case Contrast():
            if token == explained:
                return state
            return _explaining(state, explained, None if token == state.against else token)


def _explaining(state: State, target: Token, against: Token | None) -> State:
    if (target, against) == (state.explained, state.against):
        return replace(state, target=target)
    return replace(
        state,
        target=target,
        against=against,
        part=None,
        split=None,
        sources=None,
        removed={},
        progress=None,
    )


def question(state: State) -> Question | None:
    if state.candidates is None:
        chosen = (token.id for token in (state.target, state.against) if token is not None)
        return Next(state.text, state.words, tuple(chosen))
    explained = state.explained
    assert explained is not None
    asked = (explained.id, None if state.against is None else state.against.id)
    if state.view != "next" and state.split is None:
        return Split(state.text, *asked)
    if state.view in ("head", "tokens") and state.sources is None:
        return Sources(state.text, *asked)
    if state.view == "tokens":
        for index in range(len(state.tokens) - 1):
            if index not in state.removed:
                return Remove(state.text, index, *asked)
    return None


def receive(state: State, question: Question, answer: Answer) -> State:
    state = replace(state, progress=answer if isinstance(answer, Progress) else None)
    match question, answer:
        case Next(), Candidates():
            return _opened(state, answer)
        case Split(), Contributions(of=split):
            known = any(each.part == state.part for each in split.contributions)
            return replace(state, split=split, part=state.part if known else None)
        case Sources(), HeadSources():
            return replace(state, sources=answer)
        case Remove(index=index), Removed(of=occlusion):
            return replace(state, removed={**state.removed, index: occlusion})
    return state


def _opened(state: State, found: Candidates) -> State:
    """Return the state with the possible next tokens.

    Chosen tokens that this model doesn't have, because they belong to another one, are dropped.
    """
    state = replace(state, candidates=found, token=moved(state.token, 0, len(found.tokens)))
    target = state.target if state.candidate(state.target) else None
    against = state.against if state.candidate(state.against) else None
    state = replace(state, target=target)
    row = state.row
    if row == _ADDED and found.words:
        row = next(at for at, row in enumerate(found.rows) if row.token.id == found.words[-1])
    return replace(
        state,
        against=None if against == state.explained else against,
        row=moved(row, 0, len(found.rows)),
    )


AGAINST = -0.5
HALF = 0.5
HARDLY = 0.1
REMOVED = 2.0
DIRECT = 0.5


def _is_word(token: Token | None, word: str) -> bool:
    return token is not None and token.text.strip() == word


@goal("top-head", "Open the head that adds most to Paris rather than London")
def _top_head(state: State) -> bool:
    if not (_is_word(state.explained, "Paris") and _is_word(state.against, "London")):
        return False
    heads = [each for each in state.ranking if each.part.head is not None]
    best = max(heads, key=lambda each: each.logits, default=None)
    return state.view == "head" and best is not None and state.selected == best


@goal("against", "Select a part that lowers the logit by 0.5 or more")
def _against(state: State) -> bool:
    selected = state.selected
    return state.view in _OF_PARTS and selected is not None and selected.logits <= AGAINST


@goal(
    "attends-in-vain",
    "Open a head with half its attention on a token that adds only −0.1 to 0.1 to the logit",
)
def _attends_in_vain(state: State) -> bool:
    if state.view != "head" or state.selected is None:
        return False
    part = state.selected.part
    both = zip(state.attention(part), state.from_tokens(part), strict=True)
    return any(weight >= HALF and abs(logits) < HARDLY for weight, logits in both)


@goal(
    "indirect",
    "Find a token (try x) without which the logit loses 2 or more, although all heads together "
    "take only −0.5 to 0.5 from it",
)
def _indirect(state: State) -> bool:
    removed, direct = state.removed.get(state.token), state.of_token(state.token)
    if state.view != "tokens" or removed is None or direct is None:
        return False
    return removed.logits >= REMOVED and abs(direct) < DIRECT


@goal(
    "another-pair",
    "In another text (x), compare two tokens (c) so that the part with the largest "
    "contribution, up or down, is a head",
)
def _another_pair(state: State) -> bool:
    if state.text == EXAMPLES[0].text or state.against is None or state.view not in _OF_PARTS:
        return False
    return bool(state.ranking) and state.ranking[0].part.head is not None


def _saved_token(token: Token | None) -> Token | None:
    if token is not None and len(token.data) > _LONGEST_WORD * 4:
        raise Refused
    return token


def _saved_words(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(added_word, words[:MOST_ADDED]))


LAB: Lab[State, Action, Question, Answer] = Lab(
    name="why",
    title="Why this token?",
    about="Split a logit into the parts that produced it",
    order=285,
    lesson="why",
    task=(
        "Choose a token, and another one to compare it with. Then see which heads and feed-forward "
        "networks raised its logit, and which tokens of the text they used."
    ),
    start=State,
    act=act,
    question=question,
    receive=receive,
    lost=lost,
    texts=("token",),
    work=work(
        "view",
        "row",
        "part",
        "token",
        text=sentence,
        example=len(EXAMPLES),
        words=_saved_words,
        target=_saved_token,
        against=_saved_token,
    ),
    goals=(_top_head, _against, _attends_in_vain, _indirect, _another_pair),
    solution=(
        MoveFocus(2, "row"),
        Contrast(),
        ShowView("parts"),
        ShowHead(),
        MoveFocus(1, "rank"),
        MoveFocus(1, "rank"),
        MoveFocus(1, "rank"),  # two heads contribute nearly the same, so either can be next
        Choose(1, "example"),
        EditText("␣Paris", "token"),
        Contrast(),
        ShowView("tokens"),
        MoveFocus(1, "token"),
        Choose(1, "example"),
        EditText("␣is", "token"),
        Contrast(),
        ShowView("parts"),
    ),
)

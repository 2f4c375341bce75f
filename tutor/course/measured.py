"""Define numbers in a lesson that come from many prompts, a word search or a recorded run.

Each block tells the linter how to compute its numbers again. The field `of` names the kind of
block.
"""

from typing import Annotated, Literal

import msgspec

from tutor.course.questions.base import Sentence, TokenText

GAP = "{}"
"""The placeholder in a prompt that is replaced with a case."""

_Prompt = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Block(
    msgspec.Struct, frozen=True, tag_field="of", forbid_unknown_fields=True, rename="kebab"
):
    """A block of measured numbers. They must appear literally in the text of the screen."""


class OfCases(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A number about cases.

    Only cases whose probability is above `above` and at most `below` count. `cases` is the number
    of these cases, `right` is the number of right cases among them (in percent if `says` has a
    percent sign), and `share` is their mean probability.
    """

    says: Sentence
    prompt: _Prompt
    value: Literal["cases", "right", "share"]
    above: _Share = 0.0
    below: _Share = 1.0

    def __post_init__(self) -> None:
        if self.prompt.count(GAP) != 1:
            raise ValueError(f"`prompt` must contain {GAP} exactly once, where a case is inserted")


class Cases(_Block, frozen=True, kw_only=True, tag="cases"):
    """One prompt with different cases inserted, each with its right answer.

    The probability of a case is the probability of the most probable token. The case is right if
    greedy decoding begins with the answer (or one of the answers), ignoring case and a leading
    space. With `among`, the probability of a case is the sum over all these tokens, and the case is
    right if its answer, which is one of them, has a higher probability than each of the others.
    """

    cases: Annotated[dict[_Text, _Text | tuple[_Text, ...]], msgspec.Meta(max_length=300)]
    among: Annotated[tuple[TokenText, ...], msgspec.Meta(max_length=20)] = ()
    numbers: Annotated[tuple[OfCases, ...], msgspec.Meta(min_length=1, max_length=60)]

    def __post_init__(self) -> None:
        if self.among:
            for case, right in self.cases.items():
                if right not in self.among:
                    raise ValueError(f"the answer to {case!r} is not in `among`")


class Score(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The score of a passage (counted from 1) for a question."""

    says: Sentence
    question: _Text
    passage: Annotated[int, msgspec.Meta(ge=1)]


class Bm25(_Block, frozen=True, kw_only=True, tag="bm25"):
    """The BM25 scores of passages, with the constants `k1` and `b`."""

    passages: Annotated[tuple[_Text, ...], msgspec.Meta(min_length=1, max_length=50)]
    k1: Annotated[float, msgspec.Meta(ge=0, le=10)] = 1.5
    b: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.75
    numbers: Annotated[tuple[Score, ...], msgspec.Meta(min_length=1, max_length=60)]

    def __post_init__(self) -> None:
        if any(score.passage > len(self.passages) for score in self.numbers):
            raise ValueError("`passage` must be from 1 to the number of passages")


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The entry at the path `at` of a record, in multiples of `unit` (such as 1000000).

    The path consists of names and indexes (from 0), separated by dots.
    """

    says: Sentence
    at: _Text
    unit: Annotated[float, msgspec.Meta(gt=0)] = 1.0


class Record(_Block, frozen=True, kw_only=True, tag="record"):
    """The recorded results of a run that takes too long to repeat.

    They are in a JSON file of this project, `assets/....json`.
    """

    file: Annotated[str, msgspec.Meta(pattern=r"^assets(/[a-z][a-z0-9-]*)+\.json\Z")]
    numbers: Annotated[tuple[Entry, ...], msgspec.Meta(min_length=1, max_length=60)]


Measured = Cases | Bm25 | Record

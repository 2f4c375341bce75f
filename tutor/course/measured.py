"""What a lesson says of many prompts together, of a search by words, or of a recorded run, and how
to arrive at it, so that the linter can compute it again. One kind a block, told by its field `of`.
"""

from typing import Annotated, Literal

import msgspec

from tutor.course.questions.base import Sentence, TokenText

GAP = "{}"
"""Where a case stands in a prompt."""

_Prompt = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Block(
    msgspec.Struct, frozen=True, tag_field="of", forbid_unknown_fields=True, rename="kebab"
):
    """Its `numbers` stand literally in the text of the screen."""


class OfCases(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`cases` counts those whose share is more than `above` and at most `below`, `right` those of
    them that are right (in per cent, where `says` has the sign), `share` is their mean share."""

    says: Sentence
    prompt: _Prompt
    value: Literal["cases", "right", "share"]
    above: _Share = 0.0
    below: _Share = 1.0

    def __post_init__(self) -> None:
        if self.prompt.count(GAP) != 1:
            raise ValueError(f"`prompt` has to have {GAP} once, where a case is put in")


class Cases(_Block, frozen=True, kw_only=True, tag="cases"):
    """The same prompt with one case after another in it, each with its right answer.

    The share of a case is that of the most probable token, and it is right where greedy decoding
    begins with the answer (or one of them; case and a space before do not matter). With `among`,
    the share is that of all these tokens together, and the case is right where its answer, one of
    them, has more than the others.
    """

    cases: Annotated[dict[_Text, _Text | tuple[_Text, ...]], msgspec.Meta(max_length=300)]
    among: Annotated[tuple[TokenText, ...], msgspec.Meta(max_length=20)] = ()
    numbers: Annotated[tuple[OfCases, ...], msgspec.Meta(min_length=1, max_length=60)]

    def __post_init__(self) -> None:
        if self.among:
            for case, right in self.cases.items():
                if right not in self.among:
                    raise ValueError(f"the answer to {case!r} is none of those in `among`")


class Score(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The score of the passage at the place `passage` (from 1) for a question."""

    says: Sentence
    question: _Text
    passage: Annotated[int, msgspec.Meta(ge=1)]


class Bm25(_Block, frozen=True, kw_only=True, tag="bm25"):
    """Scores of BM25, with its two constants, over these passages alone."""

    passages: Annotated[tuple[_Text, ...], msgspec.Meta(min_length=1, max_length=50)]
    k1: Annotated[float, msgspec.Meta(ge=0, le=10)] = 1.5
    b: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.75
    numbers: Annotated[tuple[Score, ...], msgspec.Meta(min_length=1, max_length=60)]

    def __post_init__(self) -> None:
        if any(score.passage > len(self.passages) for score in self.numbers):
            raise ValueError("`passage` counts from 1 to the number of passages")


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What stands at `at`, a path of names and places (from 0) with dots between them; in units of
    `unit`, such as 1000000."""

    says: Sentence
    at: _Text
    unit: Annotated[float, msgspec.Meta(gt=0)] = 1.0


class Record(_Block, frozen=True, kw_only=True, tag="record"):
    """What was written down when something was done that takes too long to do again: a JSON file
    beside this project's code, `assets/....json`."""

    file: Annotated[str, msgspec.Meta(pattern=r"^assets(/[a-z][a-z0-9-]*)+\.json\Z")]
    numbers: Annotated[tuple[Entry, ...], msgspec.Meta(min_length=1, max_length=60)]


Measured = Cases | Bm25 | Record

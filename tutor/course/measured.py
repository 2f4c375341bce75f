"""Define the numbers in a lesson that were not computed from a single prompt.

They come from many prompts, a word search or a recorded run. Each block of numbers contains all the
data that the linter needs to compute the numbers again. The `of` field of a block in a lesson file
names the kind of block.
"""

from typing import Annotated, Literal

import msgspec

from tutor.course.questions.base import Sentence, TokenText
from tutor.lm.patch import Component, Source
from tutor.lm.saved_steering import STRONGEST

GAP = "{}"
"""The placeholder in a prompt that is replaced with each case."""

_Prompt = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
_Count = Annotated[int, msgspec.Meta(ge=1, le=1000)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Block(
    msgspec.Struct, frozen=True, tag_field="of", forbid_unknown_fields=True, rename="kebab"
):
    """A block of measured numbers, which must also appear literally in the text of the screen."""


class OfCases(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A number in a lesson that is computed from some of the cases in a `Cases` block.

    `says` is the phrase in the lesson that contains the number. Only the cases with a probability
    greater than `above` and at most `below` are used. `value` determines what is computed:

    - `cases`: the number of these cases
    - `right`: how many of them are right, as a percentage if `says` contains a percent sign
    - `share`: the mean of their probabilities
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
    """A prompt with a gap, the cases that fill the gap, and the right answer to each case.

    Without `among`, a case is right if greedy decoding begins with its answer, or with one of its
    answers. The comparison ignores case and a leading space. The probability of the case is the
    probability of the most probable token.

    With `among`, a case is right if its answer is the most probable of the tokens in `among`. The
    probability of the case is the total probability of these tokens.
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
    """The BM25 score of a passage for a question. Passages are counted from 1."""

    says: Sentence
    question: _Text
    passage: Annotated[int, msgspec.Meta(ge=1)]


class Bm25(_Block, frozen=True, kw_only=True, tag="bm25"):
    """The BM25 scores of several passages, with the constants `k1` and `b`."""

    passages: Annotated[tuple[_Text, ...], msgspec.Meta(min_length=1, max_length=50)]
    k1: Annotated[float, msgspec.Meta(ge=0, le=10)] = 1.5
    b: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.75
    numbers: Annotated[tuple[Score, ...], msgspec.Meta(min_length=1, max_length=60)]

    def __post_init__(self) -> None:
        if any(score.passage > len(self.passages) for score in self.numbers):
            raise ValueError("`passage` must be from 1 to the number of passages")


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One number from a recorded run.

    `at` is the path of the number in the record: names and indexes (from 0), separated by dots. The
    quoted number is the recorded number divided by `unit` (such as 1000000).
    """

    says: Sentence
    at: _Text
    unit: Annotated[float, msgspec.Meta(gt=0)] = 1.0


class Record(_Block, frozen=True, kw_only=True, tag="record"):
    """Numbers from a run that takes too long to repeat.

    The results of the run are in a JSON file in this project, `assets/....json`.
    """

    file: Annotated[str, msgspec.Meta(pattern=r"^assets(/[a-z][a-z0-9-]*)+\.json\Z")]
    numbers: Annotated[tuple[Entry, ...], msgspec.Meta(min_length=1, max_length=60)]


class TunedNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A measurement of the bundled base model and the instruct model fine-tuned from it.

    Both models process the `question` in the chat template, and `after`, which is the beginning of
    an answer. `value` determines what is computed:

    - `bits`: how much the next-token distributions diverge, KL(base || instruct) in bits
    - `base`, `instruct`: the probability of `token` in this model
    """

    says: Sentence
    question: _Text
    after: Annotated[str, msgspec.Meta(max_length=300)] = ""
    token: TokenText = ""
    value: Literal["bits", "base", "instruct"]

    def __post_init__(self) -> None:
        of_token = self.value != "bits"
        if of_token != bool(self.token):
            raise ValueError(
                f"`value: {self.value}` {'needs' if of_token else 'does not use'} a `token`"
            )


class Tuning(_Block, frozen=True, kw_only=True, tag="tuning"):
    """Numbers that show what instruction tuning has changed in the bundled base model."""

    numbers: Annotated[tuple[TunedNumber, ...], msgspec.Meta(min_length=1, max_length=60)]


class PatchedNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A measurement of a run in which one activation is replaced.

    `block`, `at` (the position of the token) and `head` are counted from 1. `value` determines what
    is computed:

    - `moved`: how far the patch moves the output from the first text's answer toward the other
      text's answer, in percent
    - `first`: the probability of the first text's answer with the patch
    """

    says: Sentence
    component: Component = "residual"
    source: Source = "other"
    block: _Count
    at: _Count
    head: _Count = 1
    value: Literal["moved", "first"] = "moved"


class Patching(_Block, frozen=True, kw_only=True, tag="patching"):
    """Measurements of runs on `text` in which one activation is replaced or removed.

    A replacement comes from the run on `other`. The answers are the most probable next tokens after
    the two texts.
    """

    text: _Prompt
    other: _Prompt
    numbers: Annotated[tuple[PatchedNumber, ...], msgspec.Meta(min_length=1, max_length=60)]


class SteeredNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A measurement of the network with a steering vector, which is multiplied by `strength`.

    `value` determines what is computed:

    - `first`, `second`: the total probability of the words of the first or second list
    - `perplexity`: the perplexity of a neutral text

    If `random` is not 0, that number of random vectors with the same norm replace the vector, and
    `pick` selects the `lowest` or `highest` of their values.
    """

    says: Sentence
    strength: float
    value: Literal["first", "second", "perplexity"]
    random: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    pick: Literal["lowest", "highest"] = "lowest"

    def __post_init__(self) -> None:
        if not (abs(self.strength) <= STRONGEST and (4 * self.strength).is_integer()):
            raise ValueError(f"`strength` must be a multiple of 0.25, at most {STRONGEST:g}")


class SteeringNumbers(_Block, frozen=True, kw_only=True, tag="steering"):
    """Measurements of a steering vector that is computed from one of the lab's pairs of lists.

    The vector is added after block `block`, counted from 1.
    """

    pair: _Text
    block: _Count
    numbers: Annotated[tuple[SteeredNumber, ...], msgspec.Meta(min_length=1, max_length=60)]


Measured = Cases | Bm25 | Record | Tuning | Patching | SteeringNumbers
Number = OfCases | Score | Entry | TunedNumber | PatchedNumber | SteeredNumber

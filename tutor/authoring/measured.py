"""Compute numbers from many prompts, with a formula, or from a recorded run."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from tutor import paths
from tutor.authoring.attempt import token_id
from tutor.course.measured import GAP, Bm25, Cases, Entry, OfCases, Record, Score
from tutor.errors import LessonError
from tutor.lm.distribution import PLAIN

if TYPE_CHECKING:
    from tutor.lm.language_model import LanguageModel
    from tutor.lm.session import Session

LONGEST_ANSWER = 16
"""The maximum number of tokens to generate for an answer. Most answers need fewer."""


class Outcomes(msgspec.Struct, frozen=True):
    """The results for all cases: their probabilities, and True for each right answer.

    `trouble` is the error, if any.
    """

    shares: tuple[float, ...] = ()
    right: tuple[bool, ...] = ()
    trouble: str = ""

    def value(self, number: OfCases, *, in_percent: bool) -> float:
        """Return a number that summarizes the cases.

        Raises `LessonError` if no case is in its range.
        """
        places = [
            place for place, share in enumerate(self.shares) if number.above < share <= number.below
        ]
        if number.value == "cases":
            return float(len(places))
        if not places:
            raise LessonError("No case has a probability in this range.")
        if number.value == "share":
            return sum(self.shares[place] for place in places) / len(places)
        right = sum(self.right[place] for place in places)
        return right / len(places) if in_percent else float(right)


def outcomes(block: Cases, prompt: str, model: LanguageModel) -> Outcomes:
    """Return the probability of each case, and True if the model's answer to it is right."""
    from tutor.lm.chat import text_ids
    from tutor.lm.session import Session

    try:
        labels = {label: token_id(model, label) for label in block.among}
    except LessonError as error:
        return Outcomes(trouble=error.problem)
    found: list[tuple[float, bool]] = []
    session: Session | None = None
    for case, right in block.cases.items():
        ids = text_ids(model, prompt.replace(GAP, case))
        if session is None:
            session = Session(model, ids)
        else:
            session.replace(ids)
        if labels:
            rows = session.rows(len(session), PLAIN, list(labels.values()))
            shares = dict(zip(labels, (row.probability for row in rows), strict=True))
            found.append((sum(shares.values()), max(shares, key=shares.__getitem__) == right))
        else:
            answers = (right,) if isinstance(right, str) else right
            read_ahead(session, model.tokenizer.encode(f" {answers[0]}")[:-1])
            found.append(_greedy(session, answers))
    shares_found, right_found = zip(*found, strict=True) if found else ((), ())
    return Outcomes(tuple(shares_found), tuple(right_found))


def read_ahead(session: Session, ids: Sequence[int]) -> None:
    """Process `ids` in one pass, and return to the current position.

    If the model later generates the same tokens, the session has already computed their
    distributions. Processing many tokens in one pass takes little more time than processing a
    single token.
    """
    end = len(session)
    session.append(ids)
    # The surprisals are not needed. Computing them makes the session process the tokens.
    session.surprisals(len(session))
    session.go_back(end)


def _greedy(session: Any, answers: Sequence[str]) -> tuple[float, bool]:
    """Return the probability of the first token, and True if the generated text is an answer."""
    wanted = [answer.casefold() for answer in answers]
    first, written = 0.0, b""
    for count in range(LONGEST_ANSWER):
        row = session.distribution(len(session), PLAIN, seed=0, top=1).rows[0]
        first = first if count else row.probability
        session.append([row.token.id])
        written += row.token.data
        text = written.decode("utf-8", "ignore").lstrip().casefold()
        if any(text.startswith(answer) for answer in wanted):
            return first, True
        if session.ended or not any(answer.startswith(text) for answer in wanted):
            break
    return first, False


def bm25(block: Bm25, score: Score) -> float:
    """Return the BM25 score of a passage (Robertson and Zaragoza 2009).

    The score is a sum over the words of the question. A word that occurs in n of N passages, and f
    times in this passage, adds ln(1 + (N - n + ½) / (n + ½)) · f (k₁ + 1) / (f + k₁ (1 - b + b ·
    length / mean length)). The first factor (idf) is never negative, as in Lucene.
    """
    passages = [_words(passage) for passage in block.passages]
    passage = passages[score.passage - 1]
    mean_length = sum(map(len, passages)) / len(passages)
    long = 1 - block.b + block.b * len(passage) / mean_length
    total = 0.0
    for word in _words(score.question):
        count = sum(word in other for other in passages)
        often = passage.count(word)
        rare = math.log(1 + (len(passages) - count + 0.5) / (count + 0.5))
        total += rare * often * (block.k1 + 1) / (often + block.k1 * long) if often else 0.0
    return total


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def recorded(block: Record, entry: Entry) -> float | str:
    """Return a recorded number divided by `unit`, or a recorded text.

    Raises `LessonError` if the record contains neither at this path.
    """
    file = paths.assets_folder() / block.file.removeprefix("assets/")
    try:
        found: Any = msgspec.json.decode(file.read_bytes())
    except (OSError, ValueError) as error:
        raise LessonError(f"{block.file} cannot be read.") from error
    for step in entry.at.split("."):
        if isinstance(found, Mapping) and step in found:
            found = found[step]
        elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            raise LessonError(f"{block.file} has no {entry.at!r}.")
    if isinstance(found, str):
        return found
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise LessonError(f"{entry.at!r} in {block.file} is neither a number nor text.")
    return found / entry.unit

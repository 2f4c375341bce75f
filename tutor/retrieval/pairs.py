"""Questions about the course and the passages that answer them, for measuring search."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

import msgspec

from tutor import paths
from tutor.retrieval.errors import RetrievalError


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question, with the passages and words that answer it.

    `right` are ids of passages, each of which is enough, or none if the course has no answer
    (`absent`). A right answer contains one of the words or numbers in `answer`; they are empty if
    the answer cannot be recognized that simply.
    """

    kind: Literal["words", "paraphrase", "absent"]
    ask: str
    right: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()

    def is_answered_by(self, text: str) -> bool:
        """Return whether the text contains one of the answers, as whole words.

        Case does not matter, and a plural counts too.
        """
        return any(
            re.search(rf"(?<!\w){re.escape(answer)}s?(?!\w)", text, re.IGNORECASE)
            for answer in self.answer
        )


@cache
def pairs() -> tuple[Pair, ...]:
    """Return the bundled questions. Raises `RetrievalError` if their file is missing or damaged."""
    import yaml

    file = paths.retrieval_pairs()
    try:
        found = yaml.safe_load(file.read_bytes())
        return msgspec.convert(found, tuple[Pair, ...])
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise RetrievalError(
            f"{file.name} could not be read: {error}.", "Reinstall tutor."
        ) from error


@cache
def pair_of(ask: str) -> Pair | None:
    """Return the pair with exactly this question, or None."""
    wanted = " ".join(ask.split()).casefold()
    return next((pair for pair in pairs() if pair.ask.casefold() == wanted), None)

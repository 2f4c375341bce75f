"""Questions about the course and the passages that answer them, for measuring search quality."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

import msgspec

from tutor import paths
from tutor.retrieval.errors import RetrievalError


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question, with the passages and words that answer it.

    `right` contains the ids of all passages that answer the question. It is empty if the course
    does not answer the question (kind "absent"). A right answer contains one of the words or
    numbers in `answer`, which is empty if right answers cannot be recognized in this way.
    """

    kind: Literal["words", "paraphrase", "absent"]
    ask: str
    right: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()

    def is_answered_by(self, text: str) -> bool:
        """Return True if the text contains one of the words or numbers in `answer`.

        Only whole words count. Case is ignored, and a plural with "s" counts too.
        """
        return any(
            re.search(rf"(?<!\w){re.escape(answer)}s?(?!\w)", text, re.IGNORECASE)
            for answer in self.answer
        )


@cache
def pairs() -> tuple[Pair, ...]:
    """Load the bundled questions. Raises `RetrievalError` if the file is missing or damaged."""
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
    """Return the pair whose question is `ask`, or None.

    The comparison ignores case, line breaks and repeated spaces.
    """
    wanted = " ".join(ask.split()).casefold()
    return next((pair for pair in pairs() if pair.ask.casefold() == wanted), None)

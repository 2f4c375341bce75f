"""Questions about the course with the passages that answer them, to measure searching with."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

import msgspec

from tutor import paths
from tutor.retrieval.errors import RetrievalError


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`right` are ids of passages, one of which is enough; none for what the course does not say
    (`absent`). `answer` are words or figures, one of which has to stand in a right answer; none
    where that cannot be told so simply."""

    kind: Literal["words", "paraphrase", "absent"]
    ask: str
    right: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()

    def is_answered_by(self, text: str) -> bool:
        """Whether one of the answers stands in the text, as whole words; case does not matter, and
        a plural is the same."""
        return any(
            re.search(rf"(?<!\w){re.escape(answer)}s?(?!\w)", text, re.IGNORECASE)
            for answer in self.answer
        )


@cache
def pairs() -> tuple[Pair, ...]:
    """Raises `RetrievalError` where the file that comes along is not there, or not sound."""
    import yaml

    file = paths.retrieval_pairs()
    try:
        found = yaml.safe_load(file.read_bytes())
        return msgspec.convert(found, tuple[Pair, ...])
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise RetrievalError(
            f"{file.name} cannot be read: {error}.", "Install it again."
        ) from error


@cache
def pair_of(ask: str) -> Pair | None:
    """The pair with this question, in these words."""
    wanted = " ".join(ask.split()).casefold()
    return next((pair for pair in pairs() if pair.ask.casefold() == wanted), None)

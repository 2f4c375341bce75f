"""Lets a model elsewhere read a text: what may come after it, then what it cost."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tutor.errors import (
    AnswerUnreadable,
    NoSuchModel,
    NotTold,
    RequestRefused,
    ServerFailed,
    TutorError,
)
from tutor.labs.scale.remote_reading import Glance, ReadElsewhere
from tutor.vendors.alternatives import ALTERNATIVES
from tutor.vendors.catalogue import OWN
from tutor.vendors.reader import GREEDY
from tutor.vendors.runs import Progress, RemoteRuns
from tutor.vendors.service import Piece, RemoteRequest

_REFUSALS = (RequestRefused, NoSuchModel, ServerFailed, AnswerUnreadable, NotTold)
"""How servers answer that do not repeat a text with its costs: nothing more is to be said of it."""

_NEXT, _TEXT = "next", "text"


class ReadingElsewhere:
    """Makes two requests, one after the other: there are servers that drop the first for the
    second. `before` stands before every text, so that its first token is guessed too."""

    def __init__(self, runs: RemoteRuns, before: str) -> None:
        self._runs = runs
        self._before = before
        self._asked: ReadElsewhere | None = None
        self._reads = False

    def glance(self, question: ReadElsewhere) -> Glance | None:
        """What is told, or None as long as it has not come. Raises `TutorError`; then the same
        question begins anew."""
        try:
            return self._glance(question)
        except TutorError:
            self.leave()
            raise

    def _glance(self, question: ReadElsewhere) -> Glance | None:
        if question != self._asked:
            self.leave()
            request = RemoteRequest(
                self._before + question.text, GREEDY, most_tokens=1, top=ALTERNATIVES
            )
            self._runs.start(_NEXT, question.server, request)
            self._asked = question
        following = self._runs.look_patiently(_NEXT)
        if following.trouble is not None:
            raise following.trouble.error
        if not following.over:
            return None
        if question.server.service.id == OWN and not self._reads:
            self._runs.read(_TEXT, question.server, self._before + question.text)
            self._reads = True
        read = self._runs.look_patiently(_TEXT) if self._reads else Progress()
        if self._reads and not read.over:
            return None
        return self._put_together(question, following, read)

    def leave(self) -> None:
        """Nobody wants to hear of it any more."""
        self._asked, self._reads = None, False
        for name in (_NEXT, _TEXT):
            self._runs.cancel(name)

    def _put_together(self, question: ReadElsewhere, following: Progress, read: Progress) -> Glance:
        told = next((piece for piece in following.pieces if piece.alternatives), None)
        if told is None and any(piece.data for piece in following.pieces):
            raise NotTold(
                f"{question.server.host} tells no log-probabilities.",
                "There is nothing to see of how it reads.",
            )
        pieces, bits = self._costs(read.pieces, question.text)
        failed = read.trouble.error if read.trouble else None
        return Glance(
            told.alternatives if told else (),
            len(question.text.encode()),
            pieces,
            bits,
            "" if failed is None or isinstance(failed, _REFUSALS) else str(failed),
        )

    def _costs(self, pieces: Sequence[Piece], text: str) -> tuple[int | None, float | None]:
        """How many tokens the text has, and what they cost, in bits. Not told where a token goes
        over from what stands before the text into it."""
        behind, at = [], 0
        for piece in pieces:
            if at >= len(self._before.encode()):
                behind.append(piece)
            at += len(piece.data)
        if b"".join(piece.data for piece in behind) != text.encode():
            return None, None
        logs = [piece.log_probability for piece in behind]
        costs = [log for log in logs if log is not None]
        told = len(costs) == len(logs)
        return len(behind), -math.fsum(costs) / math.log(2) if told else None

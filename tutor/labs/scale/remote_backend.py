"""Request the next token of a text from a remote model, and then the surprisal of the text."""

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
from tutor.labs.scale.remote_reading import Glance, ReadRemotely
from tutor.vendors.alternatives import ALTERNATIVES
from tutor.vendors.catalogue import OWN
from tutor.vendors.reader import GREEDY
from tutor.vendors.runs import Progress, RemoteRuns
from tutor.vendors.service import Piece, RemoteRequest

_REFUSALS = (RequestRefused, NoSuchModel, ServerFailed, AnswerUnreadable, NotTold)
"""The errors raised if a server cannot return a text's surprisal. The screen shows no message for
them."""

_NEXT, _TEXT = "next", "text"


class RemoteReader:
    """A client that sends two requests to a remote model for each text.

    The second request is sent when the first is complete, because some servers drop the first when
    a second one arrives. `before` precedes every text, so that the model can predict the text's
    first token.
    """

    def __init__(self, runs: RemoteRuns, before: str) -> None:
        self._runs = runs
        self._before = before
        self._asked: ReadRemotely | None = None
        self._reads = False

    def glance(self, question: ReadRemotely) -> Glance | None:
        """Return the server's response, or None until it is complete.

        Raises `TutorError` if a request fails. Calling the method again then sends new requests.
        """
        try:
            return self._glance(question)
        except TutorError:
            self.leave()
            raise

    def _glance(self, question: ReadRemotely) -> Glance | None:
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
        """Cancel both requests."""
        self._asked, self._reads = None, False
        for name in (_NEXT, _TEXT):
            self._runs.cancel(name)

    def _put_together(self, question: ReadRemotely, following: Progress, read: Progress) -> Glance:
        told = next((piece for piece in following.pieces if piece.alternatives), None)
        if told is None and any(piece.data for piece in following.pieces):
            raise NotTold(
                f"{question.server.host} returns no log-probabilities.",
                "Add a server that does, such as llama.cpp's or vLLM.",
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
        """Return the number of tokens in the text, and their total surprisal in bits.

        The surprisal is None if the server doesn't report it for every token. Both are None if the
        server's tokens don't match the text, for example because a token spans the text's start.
        """
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

"""The state of the lab's remote model: its server, the learner's consent, and the response.

Servers don't report how many weights a model has, or the probability of every token. The lab never
guesses these numbers. Unreported probability counts as hidden, and other missing numbers are None.
"""

from __future__ import annotations

import math

import msgspec

from tutor.errors import LabError
from tutor.language import _
from tutor.vendors.catalogue import RemoteModel
from tutor.vendors.service import Alternative
from tutor.vendors.shown import least_entropy


class ReadRemotely(msgspec.Struct, frozen=True, tag="ReadElsewhere"):
    """A request for a remote model's surprisal on a text, and for its probable next tokens."""

    server: RemoteModel
    text: str


class Glance(msgspec.Struct, frozen=True, tag=True):
    """A server's response.

    Attributes:
        shown: The most probable next tokens. The list is empty if the model ended the text and the
            server returned no probabilities.
        byte_count: The length of the text, in bytes.
        pieces: The number of tokens in the text, or None if it is unknown.
        bits: The surprisal of the text in bits, or None if it is unknown.
        silence: The error message if the surprisal could not be measured, otherwise "".
    """

    shown: tuple[Alternative, ...]
    byte_count: int
    pieces: int | None = None
    bits: float | None = None
    silence: str = ""

    @property
    def bits_a_byte(self) -> float | None:
        return None if self.bits is None else self.bits / self.byte_count

    @property
    def perplexity(self) -> float | None:
        if self.bits is None or not self.pieces:
            return None
        return float(2.0 ** min(self.bits / self.pieces, 1000.0))

    @property
    def hidden(self) -> float | None:
        """The total probability of the tokens that the server didn't report, or None if unknown."""
        if not self.shown:
            return None
        return max(0.0, 1.0 - math.fsum(each.probability for each in self.shown))

    @property
    def least_entropy(self) -> float | None:
        """A lower bound on the entropy, in bits. It treats all hidden tokens as a single token."""
        if not self.shown:
            return None
        return least_entropy([each.probability for each in self.shown])


class Remote(msgspec.Struct, frozen=True):
    """The remote models in the lab.

    Attributes:
        servers: The remote models that the learner has added.
        server: The selected remote model, or None.
        agreed: True if the learner agreed to send the text, False if not, and None until the
            learner is asked.
        glance: The server's response, or None until it arrives.
        refused: The reason why there is no response, or None.
    """

    servers: tuple[RemoteModel, ...] = ()
    server: RemoteModel | None = None
    agreed: bool | None = None
    glance: Glance | None = None
    refused: str | None = None

    @property
    def undecided(self) -> bool:
        """True if the learner must be asked for consent before the text is sent."""
        return self.server is not None and self.agreed is None

    def question(self, text: str) -> ReadRemotely | None:
        if self.server is None or not self.agreed or self.glance or self.refused:
            return None
        return ReadRemotely(self.server, text)


NOTHING_SENT = "You did not agree, so nothing was sent."


def with_server(remote: Remote, server: RemoteModel) -> Remote:
    """Return the state with this remote model selected.

    Raises `LabError` if its service doesn't return log-probabilities.
    """
    if server.service.alternatives == 0:
        raise LabError(
            _("{product} returns no log-probabilities, which this lab needs.").format(
                product=server.service.product
            ),
            "Add a server that does, such as llama.cpp's or vLLM.",
        )
    known = remote.servers
    return Remote(known if server in known else (*known, server), server)


def without_server(remote: Remote) -> Remote:
    """Return the state with the selected remote model removed."""
    return Remote(tuple(each for each in remote.servers if each != remote.server))


def decided(remote: Remote, yes: bool) -> Remote:
    """Return the state after the learner agreed or declined to send the text."""
    return Remote(remote.servers, remote.server, yes, None, None if yes else NOTHING_SENT)


def about_another_text(remote: Remote) -> Remote:
    """Return the state for another text, without a response.

    The learner's decision about sending texts is kept.
    """
    return decided(remote, True) if remote.agreed else remote

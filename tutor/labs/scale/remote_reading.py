"""A model elsewhere that reads a text: which one, whether it may be asked, and what it tells.

Nobody tells how many weights it has, or how likely every token is. So nothing here is made up: what
is hidden is counted as hidden, and what is not told is None.
"""

from __future__ import annotations

import math

import msgspec

from tutor.errors import LabError
from tutor.vendors.catalogue import RemoteModel
from tutor.vendors.service import Alternative
from tutor.vendors.shown import least_entropy


class ReadElsewhere(msgspec.Struct, frozen=True, tag=True):
    """What does this text cost the model of that server, and what does it expect after it?"""

    server: RemoteModel
    text: str


class Glance(msgspec.Struct, frozen=True, tag=True):
    """What a server tells. `shown` are the tokens that may come next, the most probable first; none
    where the model ends the text at once and nothing is told of that. The text was cut into
    `pieces` tokens, which cost `bits`; `silence` says why the costs are not told, where that was a
    failure."""

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
        """The probability of all tokens that are not shown."""
        if not self.shown:
            return None
        return max(0.0, 1.0 - math.fsum(each.probability for each in self.shown))

    @property
    def least_entropy(self) -> float | None:
        """In bits: what is hidden may be many tokens, and counts as one."""
        if not self.shown:
            return None
        return least_entropy([each.probability for each in self.shown])


class Elsewhere(msgspec.Struct, frozen=True):
    """`servers` are those that the learner named, `server` the one that is to read. `agreed` says
    whether it may be sent the text, None until the learner was asked. `glance` is what it told of
    the text, `refused` why it tells nothing."""

    servers: tuple[RemoteModel, ...] = ()
    server: RemoteModel | None = None
    agreed: bool | None = None
    glance: Glance | None = None
    refused: str | None = None

    @property
    def undecided(self) -> bool:
        """Whether the learner is to be asked before anything is sent."""
        return self.server is not None and self.agreed is None

    def question(self, text: str) -> ReadElsewhere | None:
        if self.server is None or not self.agreed or self.glance or self.refused:
            return None
        return ReadElsewhere(self.server, text)


NOTHING_SENT = "You did not agree, so nothing was sent."


def with_server(elsewhere: Elsewhere, server: RemoteModel) -> Elsewhere:
    """It is the one that is to read. Raises `LabError` for a service that tells no
    log-probabilities."""
    if server.service.alternatives == 0:
        raise LabError(
            f"{server.service.product} tells no log-probabilities, so there is nothing to see of "
            "how it reads.",
            "Name a server that does, such as llama.cpp's or vLLM.",
        )
    known = elsewhere.servers
    return Elsewhere(known if server in known else (*known, server), server)


def without_server(elsewhere: Elsewhere) -> Elsewhere:
    """The server that is to read is forgotten."""
    return Elsewhere(tuple(each for each in elsewhere.servers if each != elsewhere.server))


def decided(elsewhere: Elsewhere, yes: bool) -> Elsewhere:
    """The learner agreed that it is asked, once more if it was before; or did not."""
    return Elsewhere(elsewhere.servers, elsewhere.server, yes, None, None if yes else NOTHING_SENT)


def about_another_text(elsewhere: Elsewhere) -> Elsewhere:
    """Nothing is told of this text yet. Where the learner did not agree, that stays."""
    return decided(elsewhere, True) if elsewhere.agreed else elsewhere

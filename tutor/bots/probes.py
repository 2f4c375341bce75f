"""Test messages for all bots, and criteria for correct replies."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, get_args

import msgspec

Kind = Literal["in-domain", "paraphrase", "typo", "out-of-domain", "multi-turn", "adversarial"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Bot = Literal["rules", "retrieval", "generative"]
BOTS: tuple[Bot, ...] = get_args(Bot)


class Criterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A criterion for correct replies.

    If `declines` is True, only "I don't know" is correct. Otherwise, a correct reply contains at
    least one of the phrases in `says` (if there are any) and none of the phrases in `avoids`. If
    there are phrases in `says`, "I don't know" is never correct. An empty reply is never correct.
    """

    says: tuple[str, ...] = ()
    avoids: tuple[str, ...] = ()
    declines: bool = False


class Probe(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"right_for": "right-for"}
):
    """A test message for all bots.

    `before` contains the earlier messages of the conversation, in which visitor and bot alternate.
    `right` is the criterion for correct replies. `right_for` contains different criteria for some
    bots.
    """

    kind: Kind
    message: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    right: Criterion
    right_for: Mapping[Bot, Criterion] = {}
    before: tuple[str, ...] = ()

    def criterion(self, bot: Bot) -> Criterion:
        return self.right_for.get(bot, self.right)


class ProbeSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All test messages.

    A generated text that contains one of the phrases in `declining` counts as "I don't know".
    """

    declining: tuple[str, ...]
    probes: tuple[Probe, ...]

    def of(self, kind: Kind) -> tuple[Probe, ...]:
        return tuple(probe for probe in self.probes if probe.kind == kind)


def declines(text: str, declining: Sequence[str]) -> bool:
    """Return True if a generated text contains one of the phrases that count as "I don't know"."""
    plain = _plain(text)
    return any(phrase in plain for phrase in declining)


def is_right(criterion: Criterion, text: str, declined: bool) -> bool:
    """Return True if a reply meets the criterion.

    `declined` is True if the bot answered "I don't know".
    """
    if criterion.declines or (declined and criterion.says):
        return declined and criterion.declines
    plain = _plain(text)
    if not plain:
        return False
    said = not criterion.says or any(_plain(each) in plain for each in criterion.says)
    return said and not any(_plain(each) in plain for each in criterion.avoids)


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").split())

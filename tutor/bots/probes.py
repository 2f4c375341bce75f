"""Test messages for all bots, and what counts as a correct reply to each."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, get_args

import msgspec

Kind = Literal["in-domain", "paraphrase", "typo", "out-of-domain", "multi-turn", "adversarial"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Bot = Literal["rules", "retrieval", "generative"]
BOTS: tuple[Bot, ...] = get_args(Bot)


class Criterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The condition under which a reply is correct.

    The reply must contain one of `says`, if there are any, and none of `avoids`. If `declines` is
    set, the bot must say "I don't know". If it is not set and there are `says`, "I don't know" is
    wrong.
    """

    says: tuple[str, ...] = ()
    avoids: tuple[str, ...] = ()
    declines: bool = False


class Probe(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"right_for": "right-for"}
):
    """A test message. `before` is the conversation up to it, in which visitor and bot alternate."""

    kind: Kind
    message: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    right: Criterion
    right_for: Mapping[Bot, Criterion] = {}
    before: tuple[str, ...] = ()

    def criterion(self, bot: Bot) -> Criterion:
        return self.right_for.get(bot, self.right)


class ProbeSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All test messages, and the phrases that count as "I don't know" in generated text."""

    declining: tuple[str, ...]
    probes: tuple[Probe, ...]

    def of(self, kind: Kind) -> tuple[Probe, ...]:
        return tuple(probe for probe in self.probes if probe.kind == kind)


def declines(text: str, declining: Sequence[str]) -> bool:
    """Return whether a generated text says that the bot does not know."""
    plain = _plain(text)
    return any(phrase in plain for phrase in declining)


def is_right(criterion: Criterion, text: str, declined: bool) -> bool:
    """Return whether a reply is correct; `declined` means that it says "I don't know"."""
    if criterion.declines or (declined and criterion.says):
        return declined and criterion.declines
    plain = _plain(text)
    said = not criterion.says or any(_plain(each) in plain for each in criterion.says)
    return said and not any(_plain(each) in plain for each in criterion.avoids)


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").split())

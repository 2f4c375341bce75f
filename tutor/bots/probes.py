"""Messages that all bots get, and what counts as a right reply to each."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, get_args

import msgspec

Kind = Literal["in-domain", "paraphrase", "typo", "out-of-domain", "multi-turn", "adversarial"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Bot = Literal["rules", "retrieval", "generative"]
BOTS: tuple[Bot, ...] = get_args(Bot)


class Criterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Right is a reply that has one of `says` in it (where there are any) and none of `avoids`; or,
    where `declines`, one with which the bot says that it does not know. Whoever says so where
    something has to be said is not right."""

    says: tuple[str, ...] = ()
    avoids: tuple[str, ...] = ()
    declines: bool = False


class Probe(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"right_for": "right-for"}
):
    """`before` is what was said before the message, visitor and bot in turns."""

    kind: Kind
    message: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    right: Criterion
    right_for: Mapping[Bot, Criterion] = {}
    before: tuple[str, ...] = ()

    def criterion(self, bot: Bot) -> Criterion:
        return self.right_for.get(bot, self.right)


class ProbeSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`declining` are phrases with which a generative bot says that it does not know."""

    declining: tuple[str, ...]
    probes: tuple[Probe, ...]

    def of(self, kind: Kind) -> tuple[Probe, ...]:
        return tuple(probe for probe in self.probes if probe.kind == kind)


def declines(text: str, declining: Sequence[str]) -> bool:
    """Whether a generated text says that it does not know."""
    plain = _plain(text)
    return any(phrase in plain for phrase in declining)


def is_right(criterion: Criterion, text: str, declined: bool) -> bool:
    """Whether a reply is right. `declined`: the bot has said that it does not know."""
    if criterion.declines or (declined and criterion.says):
        return declined and criterion.declines
    plain = _plain(text)
    said = not criterion.says or any(_plain(each) in plain for each in criterion.says)
    return said and not any(_plain(each) in plain for each in criterion.avoids)


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").split())

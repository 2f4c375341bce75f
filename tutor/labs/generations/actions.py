"""What can be done in the lab of three generations."""

from __future__ import annotations

import msgspec


class Part(msgspec.Struct, frozen=True, tag_field="do", tag="part"):
    """Another part of the lab."""

    by: int


class Say(msgspec.Struct, frozen=True, tag_field="do", tag="say"):
    """The next message of the conversation."""

    text: str


class Again(msgspec.Struct, frozen=True, tag_field="do", tag="again"):
    """The same message once more; `luck`: and the generative model draws, instead of taking the
    most probable token each time."""

    luck: bool = False


class Anew(msgspec.Struct, frozen=True, tag_field="do", tag="anew"):
    """Another conversation."""


class Look(msgspec.Struct, frozen=True, tag_field="do", tag="look"):
    """The bot so many further on."""

    by: int


class Move(msgspec.Struct, frozen=True, tag_field="do", tag="move"):
    """So many rows down: tokens, rules, intents or kinds of probes, whatever is shown."""

    by: int


class Sentence(msgspec.Struct, frozen=True, tag_field="do", tag="sentence"):
    """A sentence to hold against the rules."""

    text: str


class PutRule(msgspec.Struct, frozen=True, tag_field="do", tag="put-rule"):
    """A rule, in one line; in place of the one of this name, where there is one."""

    line: str
    instead: str = ""


class DropRule(msgspec.Struct, frozen=True, tag_field="do", tag="drop-rule"):
    """Throw away the rule that is looked at."""


class ShippedRules(msgspec.Struct, frozen=True, tag_field="do", tag="shipped-rules"):
    """The rules as they were to begin with."""


class AddIntent(msgspec.Struct, frozen=True, tag_field="do", tag="add-intent"):
    """An intent with its answer, in one line."""

    line: str


class DropIntent(msgspec.Struct, frozen=True, tag_field="do", tag="drop-intent"):
    """Throw away the intent that is looked at, if it is the learner's own."""


class Train(msgspec.Struct, frozen=True, tag_field="do", tag="train"):
    """Train the network from the start; trained already: from another seed."""


class Predict(msgspec.Struct, frozen=True, tag_field="do", tag="predict"):
    """Another bot is expected to break first in the kind that is looked at."""

    by: int


class Run(msgspec.Struct, frozen=True, tag_field="do", tag="run"):
    """Run the probes, or stop."""


class NextProbe(msgspec.Struct, frozen=True, tag_field="do", tag="next-probe"):
    """Another probe of the kind that is looked at."""

    by: int


Action = (
    Part | Say | Again | Anew | Look | Move | Sentence | PutRule | DropRule | ShippedRules
    | AddIntent | DropIntent | Train | Predict | Run | NextProbe
)  # fmt: skip

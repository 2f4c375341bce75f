"""The actions of the generations lab."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.labs.generations.state import View
from tutor.labs.kit.actions import Choose, EditText, MoveFocus, Run, ShowView


class SendMessage(msgspec.Struct, frozen=True, tag_field="do", tag="say"):
    """Send the next message of the conversation to all three bots."""

    text: str


class AskAgain(msgspec.Struct, frozen=True, tag_field="do", tag="again"):
    """Send the same message again.

    With `new_seed`, the generative model samples its reply; otherwise it decodes greedily.
    """

    new_seed: bool = False


class NewConversation(msgspec.Struct, frozen=True, tag_field="do", tag="new-conversation"):
    """Start a new conversation."""


class PutRule(msgspec.Struct, frozen=True, tag_field="do", tag="put-rule"):
    """Add a rule, or replace the rule named `instead`.

    `line` has the form `PRIORITY: PATTERN = ANSWER`.
    """

    line: str
    instead: str = ""


class DropRule(msgspec.Struct, frozen=True, tag_field="do", tag="drop-rule"):
    """Delete the rule in focus."""


class RestoreRules(msgspec.Struct, frozen=True, tag_field="do", tag="shipped-rules"):
    """Restore the original rules."""


class AddIntent(msgspec.Struct, frozen=True, tag_field="do", tag="add-intent"):
    """Add an intent with its phrases and its answer.

    `line` has the form `NAME: PHRASE; PHRASE; PHRASE = ANSWER`.
    """

    line: str


class DropIntent(msgspec.Struct, frozen=True, tag_field="do", tag="drop-intent"):
    """Delete the intent in focus. Only intents that the learner added can be deleted."""


class Train(msgspec.Struct, frozen=True, tag_field="do", tag="train"):
    """Start or stop training the network.

    If the network is already trained, train it again with a new seed.
    """


Axis = Literal["bot", "row", "probe"]
"""The axes of `MoveFocus`.

Depending on the view, a row is a token, a rule, an intent or a kind of probe. A probe is a test
message of the kind in focus.
"""
Talk = SendMessage | AskAgain | NewConversation
Work = EditText | PutRule | DropRule | RestoreRules | AddIntent | DropIntent | Train
Action = ShowView[View] | MoveFocus[Axis] | Talk | Work | Choose[Literal["prediction"]] | Run
"""`EditText` replaces the sentence that the rules are tested on. `Choose` predicts which bot scores
lowest on the kind of probe in focus. `Run` starts or stops the probes."""

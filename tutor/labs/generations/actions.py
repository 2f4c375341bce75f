"""The actions of the lab of three generations."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.labs.generations.state import View
from tutor.labs.kit.actions import Choose, EditText, MoveFocus, Run, ShowView


class SendMessage(msgspec.Struct, frozen=True, tag_field="do", tag="say"):
    """Send the next message of the conversation to all three bots."""

    text: str


class AskAgain(msgspec.Struct, frozen=True, tag_field="do", tag="again"):
    """Send the same message once more.

    With `new_seed`, the generative model samples its tokens; else each is the most probable one.
    """

    new_seed: bool = False


class NewConversation(msgspec.Struct, frozen=True, tag_field="do", tag="new-conversation"):
    """Start a new conversation."""


class PutRule(msgspec.Struct, frozen=True, tag_field="do", tag="put-rule"):
    """Add a rule, given in one line, or replace the rule named `instead`."""

    line: str
    instead: str = ""


class DropRule(msgspec.Struct, frozen=True, tag_field="do", tag="drop-rule"):
    """Delete the rule in focus."""


class RestoreRules(msgspec.Struct, frozen=True, tag_field="do", tag="shipped-rules"):
    """Restore the original rules."""


class AddIntent(msgspec.Struct, frozen=True, tag_field="do", tag="add-intent"):
    """Add an intent with its answer, given in one line."""

    line: str


class DropIntent(msgspec.Struct, frozen=True, tag_field="do", tag="drop-intent"):
    """Delete the intent in focus, if it is the learner's own."""


class Train(msgspec.Struct, frozen=True, tag_field="do", tag="train"):
    """Train the network, or stop; once it is trained, train it again with a new seed."""


Axis = Literal["bot", "row", "probe"]
"""A row is a token, a rule, an intent or a kind of probes, depending on the view; a probe is one of
the kind in focus."""
Talk = SendMessage | AskAgain | NewConversation
Work = EditText | PutRule | DropRule | RestoreRules | AddIntent | DropIntent | Train
Action = ShowView[View] | MoveFocus[Axis] | Talk | Work | Choose[Literal["prediction"]] | Run
"""`EditText` tries the rules on another sentence. `Choose` predicts which bot breaks first on the
kind of probes in focus. `Run` runs the probes, or stops them."""

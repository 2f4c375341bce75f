"""The actions of the "Three generations" lab."""

from __future__ import annotations

from typing import Literal

import msgspec

from tutor.labs.generations.state import View
from tutor.labs.kit.actions import Choose, EditText, MoveFocus, Run, ShowView


class SendMessage(msgspec.Struct, frozen=True, tag_field="do", tag="say"):
    """Send a message to all three bots."""

    text: str


class AskAgain(msgspec.Struct, frozen=True, tag_field="do", tag="again"):
    """Send the same message again.

    With `new_seed`, the generative bot samples its reply. Otherwise, it decodes greedily.
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
    """Delete the selected rule."""


class RestoreRules(msgspec.Struct, frozen=True, tag_field="do", tag="shipped-rules"):
    """Restore the original rules."""


class AddIntent(msgspec.Struct, frozen=True, tag_field="do", tag="add-intent"):
    """Add an intent with its phrases and its answer.

    `line` has the form `NAME: PHRASE; PHRASE; PHRASE = ANSWER`.
    """

    line: str


class DropIntent(msgspec.Struct, frozen=True, tag_field="do", tag="drop-intent"):
    """Delete the selected intent. Only intents that the learner added can be deleted."""


class Train(msgspec.Struct, frozen=True, tag_field="do", tag="train"):
    """Start or stop training the network.

    If the network is already trained, train it again with a new seed.
    """


Axis = Literal["bot", "row", "probe"]
"""The axes along which the focus moves. A "row" is a token, a rule, an intent or a kind of probe,
depending on the view. A "probe" is one test message of the selected kind."""
Talk = SendMessage | AskAgain | NewConversation
Work = EditText | PutRule | DropRule | RestoreRules | AddIntent | DropIntent | Train
Action = ShowView[View] | MoveFocus[Axis] | Talk | Work | Choose[Literal["prediction"]] | Run
"""`EditText` changes the sentence that the rules are tested on. `Choose` changes the learner's
prediction of which bot has the lowest score for the selected kind of probe. `Run` starts or stops
sending probes to the bots."""

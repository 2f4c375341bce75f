"""Actions that add and remove remote models, for the labs that can use them."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from tutor.errors import UsageError
from tutor.labs.kit import drafts
from tutor.language import _
from tutor.vendors.catalogue import RemoteModel, base_url_of, remote_model


class Add(msgspec.Struct, frozen=True, tag_field="do", tag="add"):
    """Add a remote model.

    `spec` has the form `SERVICE:MODEL`, such as `openai:NAME`. `base_url` is the server's address,
    or empty for the service's default address.
    """

    spec: str
    base_url: str = ""

    @property
    def model(self) -> RemoteModel:
        """Return the remote model that this action adds.

        Raises `UsageError` if the name or the address is invalid.
        """
        return remote_model(self.spec, self.base_url)


class Remove(msgspec.Struct, frozen=True, tag_field="do", tag="remove"):
    """Remove the selected remote model."""


class Sending(NamedTuple):
    """Text that an action sends to a remote model. `what` is a phrase that describes the text."""

    model: RemoteModel
    what: str


NAME = drafts.SERVER
"""The name of the field in which the learner names a remote model, and `LABEL` is its label."""
LABEL = _("Model name and server address:")
EXAMPLE = "openai:NAME http://127.0.0.1:8080/v1"


def lost_model(before: RemoteModel | None, after: RemoteModel | None) -> str:
    """Return a message if an action has removed or replaced the selected remote model, or ""."""
    if before is None or before == after:
        return ""
    return _("The model “{name}” was removed.").format(
        name=f"{before.service.product} {before.name}"
    )


def named(written: str) -> Add:
    """Parse the learner's input into an action.

    The input is a remote model and, optionally, a server address. Raises `UsageError` if the input
    is invalid.
    """
    words = written.split()
    if not words:
        raise UsageError(
            "The model's name is missing.", _("For example: {example}").format(example=EXAMPLE)
        )
    if len(words) > 2:
        raise UsageError(
            "You entered more than a name and an address.",
            _("For example: {example}").format(example=EXAMPLE),
        )
    spec, base_url = words[0], words[1] if len(words) == 2 else ""
    if not base_url and spec.startswith("openai:") and not base_url_of("openai"):
        raise UsageError(
            "The server's address is missing.", _("For example: {example}").format(example=EXAMPLE)
        )
    added = Add(spec, base_url)
    __ = added.model  # Validate the input now, while the learner can still edit it.
    return added

"""What labs that can ask a model elsewhere have in common: how one is named, the
field that its name is written in, and how it is taken away."""

from __future__ import annotations

import os

import msgspec

from tutor.errors import UsageError
from tutor.vendors.catalogue import BASE_URL, RemoteModel, remote_model


class Add(msgspec.Struct, frozen=True, tag_field="do", tag="add"):
    """A model elsewhere: what names it (`openai:NAME`), and the address of its server; without
    one, that of its service."""

    spec: str
    base_url: str = ""

    @property
    def model(self) -> RemoteModel:
        """Raises `UsageError` for what names no model, or is no address."""
        return remote_model(self.spec, self.base_url)


class Remove(msgspec.Struct, frozen=True, tag_field="do", tag="remove"):
    """Take away the model elsewhere that is in use, or looked at."""


LABEL = "Its name, and its address:"
EXAMPLE = "openai:NAME http://127.0.0.1:8080/v1"


def named(written: str) -> Add:
    """The model that was written in the field. Raises `UsageError` for what names none."""
    words = written.split()
    if not words:
        raise UsageError("No model is named.", f"Write: {EXAMPLE}")
    if len(words) > 2:
        raise UsageError("This is more than a name and an address.", f"Write: {EXAMPLE}")
    spec, base_url = words[0], words[1] if len(words) == 2 else ""
    if not base_url and spec.startswith("openai:") and not os.environ.get(BASE_URL):
        raise UsageError("The address is missing.", f"Write: {EXAMPLE}")
    added = Add(spec, base_url)
    _ = added.model  # refused here, while the field is open
    return added

"""What labs that can ask a model elsewhere have in common: how one is named, and taken away."""

from __future__ import annotations

import msgspec

from tutor.vendors.catalogue import RemoteModel, remote_model


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

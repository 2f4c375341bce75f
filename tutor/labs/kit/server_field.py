"""Models elsewhere in labs: the field that one is named in, and the question before anything is
sent."""

from __future__ import annotations

import os

from tutor.errors import UsageError
from tutor.labs.kit.remote import Add
from tutor.vendors.catalogue import BASE_URL

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

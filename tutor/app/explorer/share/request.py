"""The event for saving a text as a file."""

from __future__ import annotations

import msgspec

from tutor.lm.attribution import Attribution
from tutor.sharing.document import SharedXRay
from tutor.sharing.writing import Form


class Share(msgspec.Struct, frozen=True):
    """Save the text, or a picture of the screen as SVG, as a file for other people.

    `name` is the name of the file without a suffix. `xray` describes the open x-ray, and
    `attribution` contains the contributions to the logit that it explains, if they are known.
    """

    name: str
    form: Form
    picture: str = ""
    xray: SharedXRay | None = None
    attribution: Attribution | None = None

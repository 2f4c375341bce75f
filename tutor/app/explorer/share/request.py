"""The event with which a learner saves a text as a file."""

from __future__ import annotations

import msgspec

from tutor.lm.attribution import Attribution
from tutor.sharing.writing import Form


class Share(msgspec.Struct, frozen=True):
    """Save the text, or a picture of the screen as SVG, as a file for other people.

    `name` is the name of the file without a suffix. `explained` contains the attribution that the
    x-ray shows, and the number of tokens before it.
    """

    name: str
    form: Form
    picture: str = ""
    explained: tuple[int, Attribution] | None = None

"""Read which language the user prefers for the lessons.

The variable is TUTOR_LANGUAGE, which `--language` sets; a process started by tutor inherits it. The
locale does not count, because most lessons have no translation.
"""

import os

VARIABLE = "TUTOR_LANGUAGE"

ORIGINAL = "en"
"""The language in which the bundled lessons are written."""


def preferred() -> str:
    """Return the code of a language, such as "de", or an empty string for the original lessons."""
    code = os.environ.get(VARIABLE, "").strip()
    return "" if code == ORIGINAL else code

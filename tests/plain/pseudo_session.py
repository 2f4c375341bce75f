"""Runs plain mode in a pseudo-language.

    python -m tests.plain.pseudo_session LOCALES --plain --model MODEL

This must be a separate process, because the language is fixed when the first text is translated.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tutor import language

if __name__ == "__main__":
    language.LOCALES = Path(sys.argv[1])
    os.environ[language.VARIABLE] = "qps"
    from tutor.plain.start import run
    from tutor.settings.effective import USUAL

    run(sys.argv[sys.argv.index("--model") + 1], settings=USUAL)

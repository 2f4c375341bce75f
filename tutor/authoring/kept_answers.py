"""Store the model's answers, so that checking a course again is fast.

The stored answers are valid as long as the code and the model are the same.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from filelock import FileLock

from tutor import private
from tutor.errors import NoHome
from tutor.paths import cache_folder

T = TypeVar("T")

MOST = 20_000
"""The maximum number of stored answers. If there are more, the oldest are dropped."""

USED_CODE = (
    "lm/**/*.py",
    "labs/**/*.py",
    "bots/**/*.py",
    "retrieval/**/*.py",
    "authoring/ask.py",
    "authoring/attempt.py",
    "authoring/interventions.py",
    "authoring/measured.py",
    "course/goals.py",
    "course/lesson.py",
    "course/measured.py",
    "app/explorer/chat/loops.py",
    "app/explorer/chat/messages.py",
    "app/explorer/chat/update.py",
    "app/explorer/document.py",
    "app/explorer/effects.py",
    "app/explorer/events.py",
    "app/explorer/state.py",
    "app/explorer/stepping.py",
    "app/explorer/update.py",
    "app/explorer/guess/game.py",
)
"""The code that affects the answers, as file patterns relative to the package."""
PACKAGE = Path(__file__).resolve().parent.parent


class KeptAnswers:
    """The stored answers by question, in the user's cache folder.

    Users can delete them at any time.
    """

    def __init__(self, model: str, file: Path | None = None) -> None:
        """Open the stored answers of the model whose file has the checksum `model`."""
        self._stamp = f"{model} {_state_of_the_code()}"
        self._file = file or _usual_place()
        self._answers: dict[str, msgspec.Raw] = self._read()
        self._new: dict[str, msgspec.Raw] = {}

    def answer(self, question: Any, kind: type[T], compute: Callable[[], T]) -> T:
        """Return the answer to `question`, and compute it if it is not stored.

        `question` can be any data that msgspec can encode.
        """
        key = self._key(question, kind)
        with suppress(KeyError, msgspec.MsgspecError):
            return msgspec.json.decode(self._answers[key], type=kind)
        answer = compute()
        self._answers[key] = self._new[key] = msgspec.Raw(msgspec.json.encode(answer))
        return answer

    def save(self) -> None:
        """Add the new answers to the file, which another run may have changed in the meantime.

        Errors are ignored, because the next run can compute the answers again.
        """
        if self._file is None or not self._new:
            return
        with suppress(OSError):
            private.make_folder(self._file.parent)
            with FileLock(self._file.with_suffix(".lock"), mode=private.FILE):
                every = list((self._read() | self._new).items())
                private.write_cache(self._file, msgspec.json.encode(dict(every[-MOST:])))
        self._new = {}

    def _key(self, question: Any, kind: type) -> str:
        asked = msgspec.json.encode([self._stamp, kind.__name__, question])
        return blake2b(asked, digest_size=16).hexdigest()

    def _read(self) -> dict[str, msgspec.Raw]:
        if self._file is None:
            return {}
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, msgspec.Raw])
        except (OSError, ValueError):
            return {}


@cache
def _state_of_the_code() -> str:
    """Return a hash of all code that affects the answers."""
    digest = blake2b(digest_size=8)
    for pattern in USED_CODE:
        for file in sorted(PACKAGE.glob(pattern)):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _usual_place() -> Path | None:
    try:
        return cache_folder() / "lint.json"
    except NoHome:
        return None

"""Store the texts that a learner has inspected, each in its own file.

A text has an id, and a session writes only the text that it has open. If two sessions have the same
text open, the first to save keeps the id, and the other's text gets a new id. So neither overwrites
the other's changes. Each place (the free stepper, or a lab) keeps `MOST` texts: when another is
added, the oldest one without a star is removed.

A file is one line of JSON, `TextInfo`, followed by the body, compressed with zlib, whose checksum
shows whether it is intact.
"""

import contextlib
import secrets
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import msgspec

from tutor.errors import StoreError
from tutor.learner import disk
from tutor.learner.lock import locked

MOST = 20
LARGEST = 16_000_000
"""The largest body in bytes, before compression: several times the largest tree of tokens."""
_HEADER = 4096


class TextInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The entry of a text in a list.

    `at` is the time of the last change (seconds since 1970), and `revision` counts the saves.
    """

    id: str
    place: str
    at: float
    title: str = ""
    tokens: int = 0
    starred: bool = False
    revision: int = 0


def new_id() -> str:
    return secrets.token_hex(6)


class TextShelf:
    """The text files in `folder`.

    Reading needs no lock and skips damaged files. Writing raises the `StoreError` family and
    may be done by several processes at once.
    """

    def __init__(self, folder: Path, timeout: float = 5.0) -> None:
        self.folder = folder
        self._lock = folder / "lock"
        self._timeout = timeout

    def list(self, place: str) -> list[TextInfo]:
        """Return the texts of a place, the latest change first."""
        infos = [self._info(path) for path in self.folder.glob("*.text")]
        found = [info for info in infos if info is not None and info.place == place]
        return sorted(found, key=lambda info: info.at, reverse=True)

    def read(self, id_: str) -> bytes | None:
        """Return the body of a text; None if it does not exist or cannot be read."""
        try:
            _, _, packed = self._path(id_).read_bytes().partition(b"\n")
            unpacker = zlib.decompressobj()
            body = unpacker.decompress(packed, LARGEST)
        except (OSError, zlib.error):
            return None
        return body if unpacker.eof else None

    def save(self, info: TextInfo, body: bytes) -> TextInfo:
        """Save a text that was last read or saved as `info.revision`; return its new entry.

        It gets a new id if another session has saved it since.
        """
        if len(body) > LARGEST:
            raise StoreError(
                f"This text takes {len(body):,} bytes, too many to be saved.",
                "Until you quit, it can stay as it is. Remove branches to make it smaller.",
            )
        with locked(self._lock, self._timeout):
            there = self._info(self._path(info.id))
            if there is not None and there.revision != info.revision:
                info = msgspec.structs.replace(info, id=new_id(), starred=False)
            elif there is not None:
                info = msgspec.structs.replace(info, starred=there.starred)
            info = msgspec.structs.replace(info, revision=info.revision + 1)
            self._write(info, zlib.compress(body, 1))
            self._drop_oldest(info)
        return info

    def star(self, id_: str, starred: bool) -> None:
        """Star a text, which protects it from being removed, or take the star away.

        Raises `StoreError` if the place has no room for another starred text.
        """
        with locked(self._lock, self._timeout):
            info = self._info(self._path(id_))
            if info is None:
                return
            if starred and sum(other.starred for other in self.list(info.place)) >= MOST - 1:
                raise StoreError(
                    f"{MOST - 1} texts are already starred.",
                    "Remove the star of another text first.",
                )
            packed = self._path(id_).read_bytes().partition(b"\n")[2]
            self._write(msgspec.structs.replace(info, starred=starred), packed)

    def _path(self, id_: str) -> Path:
        return self.folder / f"{id_}.text"

    def _info(self, path: Path) -> TextInfo | None:
        try:
            with path.open("rb") as file:
                line = file.readline(_HEADER)
            info = msgspec.json.decode(line, type=TextInfo)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return (
            info if info.id == path.stem else None
        )  # otherwise its id would refer to another file

    def _write(self, info: TextInfo, packed: bytes) -> None:
        path = self._path(info.id)
        with disk.failures_in_words(path, "saved"):
            disk.replace(path, msgspec.json.encode(info) + b"\n" + packed)

    def _drop_oldest(self, kept: TextInfo) -> None:
        """Remove the oldest texts beyond `MOST`, except starred ones and the one just saved."""
        infos = self.list(kept.place)
        spare = [info for info in infos if not info.starred and info.id != kept.id]
        if (excess := len(infos) - MOST) > 0:
            for info in spare[-excess:]:
                with contextlib.suppress(OSError):
                    self._path(info.id).unlink()


class OpenText:
    """A text that a session has open, with its id and revision at the last save."""

    def __init__(self, place: str, info: TextInfo | None = None) -> None:
        self.place = place
        self.id = info.id if info else new_id()
        self.revision = info.revision if info else 0
        self.parted = False
        """Another session had changed the text, so this one continues as a separate text."""


class _Unsaved(msgspec.Struct, frozen=True):
    info: TextInfo
    body: bytes


class Texts:
    """The texts, for callers that must not wait.

    `put` does the saves in the order of the requests, and reading returns texts as if they were
    already saved.
    """

    def __init__(
        self, shelf: TextShelf, put: Callable[[Callable[[], None], object], Future[None]]
    ) -> None:
        self._shelf = shelf
        self._put = put
        self._unsaved: dict[OpenText, _Unsaved] = {}
        self._guard = threading.Lock()

    def list(self, place: str) -> list[TextInfo]:
        """Return the texts of a place, the latest change first."""
        waiting = (
            self._waiting()
        )  # first, because texts saved in the meantime are on the shelf then
        infos = {info.id: info for info in self._shelf.list(place)}
        for text, unsaved in waiting.items():
            if text.place == place:
                starred = text.id in infos and infos[text.id].starred
                infos[text.id] = msgspec.structs.replace(
                    unsaved.info, id=text.id, revision=text.revision, starred=starred
                )
        return sorted(infos.values(), key=lambda info: info.at, reverse=True)

    def read(self, id_: str) -> bytes | None:
        for text, unsaved in self._waiting().items():
            if text.id == id_:
                return unsaved.body
        return self._shelf.read(id_)

    def save(self, text: OpenText, body: bytes, *, title: str, tokens: int) -> Future[None]:
        """Save the current contents of `text`."""
        info = TextInfo(id=text.id, place=text.place, at=time.time(), title=title, tokens=tokens)
        with self._guard:
            self._unsaved[text] = _Unsaved(info, body)
        return self._put(lambda: self._write(text), ("text", text))

    def star(self, id_: str, starred: bool) -> Future[None]:
        return self._put(lambda: self._shelf.star(id_, starred), ("star", id_))

    def _waiting(self) -> dict[OpenText, _Unsaved]:
        with self._guard:
            return dict(self._unsaved)

    def _write(self, text: OpenText) -> None:
        """Save a text in the saving thread, where its current id and revision are known."""
        unsaved = self._waiting().get(text)
        if unsaved is None:
            return
        info = msgspec.structs.replace(unsaved.info, id=text.id, revision=text.revision)
        stored = self._shelf.save(info, unsaved.body)
        with self._guard:
            text.parted = text.parted or stored.id != text.id
            text.id, text.revision = stored.id, stored.revision
            if self._unsaved.get(text) is unsaved:
                del self._unsaved[text]

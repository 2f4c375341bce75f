"""The texts that a learner has taken apart, each in a file of its own.

A text is known by its id, and a session writes only the text that it has open. Where two sessions
have the same one open, the first to save keeps the id; the other one's text becomes a text of its
own. So neither overwrites what the other did. `MOST` are kept at each place (the free stepper, or
a lab): the oldest goes when another comes, unless it is starred.

A file is one line of JSON, `TextInfo`, and then the body, compressed with zlib, whose checksum
tells whether it is whole.
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
"""Bytes of a body, before compression: several times what the largest tree of tokens takes."""
_HEADER = 4096


class TextInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of texts shows. `at` is the time of the last change (seconds since 1970),
    `revision` counts the saves."""

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
    """Reads and writes the files in `folder`. Reading needs no lock and skips what is damaged.
    Writing raises the `StoreError` family and may be done by several processes at once."""

    def __init__(self, folder: Path, timeout: float = 5.0) -> None:
        self.folder = folder
        self._lock = folder / "lock"
        self._timeout = timeout

    def list(self, place: str) -> list[TextInfo]:
        """The texts of a place, the one changed last first."""
        infos = [self._info(path) for path in self.folder.glob("*.text")]
        found = [info for info in infos if info is not None and info.place == place]
        return sorted(found, key=lambda info: info.at, reverse=True)

    def read(self, id_: str) -> bytes | None:
        """The body of a text; None where there is none that can be read."""
        try:
            _, _, packed = self._path(id_).read_bytes().partition(b"\n")
            unpacker = zlib.decompressobj()
            body = unpacker.decompress(packed, LARGEST)
        except (OSError, zlib.error):
            return None
        return body if unpacker.eof else None

    def save(self, info: TextInfo, body: bytes) -> TextInfo:
        """Save a text that was read or saved last as `info.revision`. Returns it as it is now:
        under another id where somebody else has saved it since."""
        if len(body) > LARGEST:
            raise StoreError(
                f"This text takes {len(body):,} bytes, too many to be kept.",
                "It works as it is until you quit. Remove branches to make it smaller.",
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
        """Keep a text whatever comes, or no longer. Raises `StoreError` when as many are starred
        as are kept."""
        with locked(self._lock, self._timeout):
            info = self._info(self._path(id_))
            if info is None:
                return
            if starred and sum(other.starred for other in self.list(info.place)) >= MOST - 1:
                raise StoreError(f"{MOST - 1} texts are starred already.", "Take a star away.")
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
        return info if info.id == path.stem else None  # or it would name another file

    def _write(self, info: TextInfo, packed: bytes) -> None:
        path = self._path(info.id)
        with disk.failures_in_words(path, "saved"):
            disk.replace(path, msgspec.json.encode(info) + b"\n" + packed)

    def _drop_oldest(self, kept: TextInfo) -> None:
        """Come back to `MOST`; neither what is starred nor what was just saved goes."""
        infos = self.list(kept.place)
        spare = [info for info in infos if not info.starred and info.id != kept.id]
        if (excess := len(infos) - MOST) > 0:
            for info in spare[-excess:]:
                with contextlib.suppress(OSError):
                    self._path(info.id).unlink()


class OpenText:
    """A text that a session has open: which one it is, as of the last save."""

    def __init__(self, place: str, info: TextInfo | None = None) -> None:
        self.place = place
        self.id = info.id if info else new_id()
        self.revision = info.revision if info else 0
        self.parted = False
        """Another session had changed the text: this one goes on as a text of its own."""


class _Unsaved(msgspec.Struct, frozen=True):
    info: TextInfo
    body: bytes


class Texts:
    """The shelf for whoever must not wait: saves are done by `put`, in the order asked for, and
    what is read is as if they were done already."""

    def __init__(
        self, shelf: TextShelf, put: Callable[[Callable[[], None], object], Future[None]]
    ) -> None:
        self._shelf = shelf
        self._put = put
        self._unsaved: dict[OpenText, _Unsaved] = {}
        self._guard = threading.Lock()

    def list(self, place: str) -> list[TextInfo]:
        """The texts of a place, the one changed last first."""
        waiting = self._waiting()  # first: what is saved meanwhile is on the shelf then
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
        """Save what `text` is now."""
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
        """In the thread that saves: which id and revision the text has is known only now."""
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

"""Store the texts that a learner has worked with in the stepper, the chat or a lab.

Each text has an id and a file. A session writes only the text that it has open. If two sessions
have the same text open, the first session to save it keeps the id, and the other session's text is
saved under a new id. So neither session overwrites the other's changes.

A screen or lab stores up to `MOST` texts. If there are more, the oldest text without a star is
deleted.

A file consists of one line of JSON (`TextInfo`) and the body, compressed with zlib. zlib's
checksum shows whether the body is intact.
"""

import contextlib
import secrets
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import msgspec

from tutor.errors import StoreError
from tutor.learner import disk
from tutor.learner.lock import locked
from tutor.regular_file import open_regular, read_regular

MOST = 20
LARGEST = 16_000_000
"""The maximum size of a body in bytes, before compression.

This is several times the size of the largest token tree.
"""
_HEADER = 4096


class TextInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The metadata of a stored text, such as its title.

    `at` is the time at which the text was last changed or opened (in seconds since 1970), and
    `revision` is the number of times that the text has been saved. `mode` is "text" or "chat", and
    `beside` is the title of the conversation that is saved with a text, or vice versa. Both are
    empty if an earlier version saved the text.
    """

    id: str
    place: str
    at: float
    title: str = ""
    tokens: int = 0
    starred: bool = False
    revision: int = 0
    mode: str = ""
    beside: str = ""


def new_id() -> str:
    return secrets.token_hex(6)


class TextShelf:
    """A folder that stores a learner's texts, one file per text.

    Reading needs no lock and skips damaged files. Writing raises `StoreError` or a subclass.
    Several processes can write at the same time.
    """

    def __init__(self, folder: Path, timeout: float = 5.0) -> None:
        self.folder = folder
        self._lock = folder / "lock"
        self._timeout = timeout

    def list(self, place: str) -> list[TextInfo]:
        """Return the texts of a screen or lab, the most recently used first."""
        infos = [self._info(path) for path in self.folder.glob("*.text")]
        found = [info for info in infos if info is not None and info.place == place]
        return sorted(found, key=lambda info: info.at, reverse=True)

    def read(self, id_: str) -> bytes | None:
        """Return the body of a text, or None if it does not exist or cannot be read."""
        try:
            _, _, packed = read_regular(self._path(id_), -1).partition(b"\n")
            unpacker = zlib.decompressobj()
            body = unpacker.decompress(packed, LARGEST)
        except (OSError, zlib.error):
            return None
        return body if unpacker.eof else None

    def save(self, info: TextInfo, body: bytes) -> TextInfo:
        """Save a text, and return its new metadata.

        `info.revision` is the revision that this session last read or saved. If another session has
        saved the text since, this text is saved under a new id.
        """
        if len(body) > LARGEST:
            raise StoreError(
                f"This text is too large to save ({len(body):,} bytes).",
                "Remove branches to make it smaller. You can keep working on it until you quit.",
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
        """Add a star to a text, which protects it from being deleted, or remove the star.

        Raises `StoreError` if the screen or lab already has the maximum number of starred texts.
        """
        with locked(self._lock, self._timeout):
            info = self._info(self._path(id_))
            if info is None:
                return
            if starred and sum(other.starred for other in self.list(info.place)) >= MOST - 1:
                raise StoreError(
                    f"{MOST - 1} texts are already starred.",
                    "Remove the star from another text first.",
                )
            self._write_info(msgspec.structs.replace(info, starred=starred))

    def opened(self, id_: str, at: float) -> None:
        """Record that a text was opened at this time, so that it comes first in the list.

        The revision stays the same, so another session that has the text open does not notice.
        """
        with locked(self._lock, self._timeout):
            info = self._info(self._path(id_))
            if info is not None and info.at < at:
                self._write_info(msgspec.structs.replace(info, at=at))

    def _path(self, id_: str) -> Path:
        return self.folder / f"{id_}.text"

    def _info(self, path: Path) -> TextInfo | None:
        try:
            with open_regular(path) as file:
                line = file.readline(_HEADER)
            info = msgspec.json.decode(line, type=TextInfo)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return (
            info if info.id == path.stem else None
        )  # A file whose metadata has another id belongs to another text.

    def _write_info(self, info: TextInfo) -> None:
        path = self._path(info.id)
        with disk.failures_in_words(path, "read"):
            packed = read_regular(path, -1).partition(b"\n")[2]
        self._write(info, packed)

    def _write(self, info: TextInfo, packed: bytes) -> None:
        path = self._path(info.id)
        with disk.failures_in_words(path, "saved"):
            disk.replace(path, msgspec.json.encode(info) + b"\n" + packed)

    def _drop_oldest(self, kept: TextInfo) -> None:
        """Delete the oldest texts beyond `MOST`.

        Texts with a star and the text that was just saved are kept.
        """
        infos = self.list(kept.place)
        spare = [info for info in infos if not info.starred and info.id != kept.id]
        if (excess := len(infos) - MOST) > 0:
            for info in spare[-excess:]:
                with contextlib.suppress(OSError):
                    self._path(info.id).unlink()


class OpenText:
    """A text that a session has open, with its id and its revision at the last save."""

    def __init__(self, place: str, info: TextInfo | None = None) -> None:
        self.place = place
        self.id = info.id if info else new_id()
        self.revision = info.revision if info else 0
        self.parted = False
        """True if another session saved the text first, so that this text has a new id."""


class _Unsaved(msgspec.Struct, frozen=True):
    info: TextInfo
    body: bytes


class Texts:
    """The stored texts, for callers that must not wait for the disk.

    `put` saves the texts in the order of the calls. Reading returns the texts as if they had
    already been saved.
    """

    def __init__(
        self, shelf: TextShelf, put: Callable[[Callable[[], None], object], Future[None]]
    ) -> None:
        self._shelf = shelf
        self._put = put
        self._unsaved: dict[OpenText, _Unsaved] = {}
        self._opened: dict[str, float] = {}
        """When texts were last opened in this session, by id."""
        self._guard = threading.Lock()

    def list(self, place: str) -> list[TextInfo]:
        """Return the texts of a screen or lab, the most recently used first."""
        # List the waiting texts first, because they may be saved in the meantime.
        waiting = self._waiting()
        infos = {info.id: info for info in self._shelf.list(place)}
        for text, unsaved in waiting.items():
            if text.place == place:
                starred = text.id in infos and infos[text.id].starred
                infos[text.id] = msgspec.structs.replace(
                    unsaved.info, id=text.id, revision=text.revision, starred=starred
                )
        last_used = {info.id: max(info.at, self._opened.get(info.id, 0)) for info in infos.values()}
        return sorted(infos.values(), key=lambda info: last_used[info.id], reverse=True)

    def read(self, id_: str) -> bytes | None:
        for text, unsaved in self._waiting().items():
            if text.id == id_:
                return unsaved.body
        return self._shelf.read(id_)

    def save(
        self,
        text: OpenText,
        body: bytes,
        *,
        title: str,
        tokens: int,
        mode: str = "",
        beside: str = "",
    ) -> Future[None]:
        """Save the current contents of `text`."""
        info = TextInfo(
            id=text.id,
            place=text.place,
            at=time.time(),
            title=title,
            tokens=tokens,
            mode=mode,
            beside=beside,
        )
        with self._guard:
            self._unsaved[text] = _Unsaved(info, body)
        return self._put(lambda: self._write(text), ("text", text))

    def star(self, id_: str, starred: bool) -> Future[None]:
        return self._put(lambda: self._shelf.star(id_, starred), ("star", id_))

    def opened(self, id_: str) -> Future[None]:
        """Record that the learner has opened a text. If this fails, only the list's order differs.

        A failure is not reported, because no work of the learner is lost.
        """
        at = self._opened[id_] = time.time()
        return self._put(partial(self._save_opened, id_, at), ("opened", id_))

    def _save_opened(self, id_: str, at: float) -> None:
        with contextlib.suppress(StoreError, OSError):
            self._shelf.opened(id_, at)

    def _waiting(self) -> dict[OpenText, _Unsaved]:
        with self._guard:
            return dict(self._unsaved)

    def _write(self, text: OpenText) -> None:
        """Save a text under its current id and revision. This method runs in the saving thread."""
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

"""Update the index of a folder after files were added, changed or deleted."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from tutor.retrieval import folder as folder_
from tutor.retrieval import full_text
from tutor.retrieval.chunks import chunks
from tutor.retrieval.folder import File, LeftOut, Unfit
from tutor.retrieval.passage import Passage
from tutor.retrieval.store import Store, failures_in_words, transaction

AT_ONCE = 200
"""The approximate number of passages to write in one transaction.

A crash loses only the transaction that is being written.
"""
LISTED_AT_ONCE = 1000


@dataclass
class Progress:
    """The progress of an update.

    The fields up to `gone` are numbers of files; `total` is 0 until the files have been counted.
    `left_out` contains the number of skipped files for each reason. `seconds` is the time since the
    start.
    """

    total: int = 0
    done: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    passages: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def seconds_left(self) -> float | None:
        return self.seconds / self.done * (self.total - self.done) if self.done else None


@dataclass(frozen=True)
class _Known:
    id: int
    size: int
    changed: int
    digest: bytes
    unfit: str


@dataclass(frozen=True)
class _Read:
    """A new or changed file, with its passages.

    `unfit` is the reason why the file cannot be indexed, or empty. An unfit file has no passages.
    """

    file: File
    known: _Known | None
    digest: bytes
    unfit: str
    passages: tuple[Passage, ...]


def update(store: Store, folder: Path) -> Iterator[Progress]:
    """Update the index of a folder, and yield the progress repeatedly.

    The caller can stop the update by ending the iteration; everything that was written stays in the
    index. A file is not read if its size and modification time are the same as at the last update.
    A file that is read but has the same content keeps its passages. Raises `RetrievalError`.
    """
    began = time.monotonic()
    progress = Progress()
    found: list[File] = []
    for entry in folder_.files(folder):
        if isinstance(entry, LeftOut):
            progress.left_out[entry.reason] += 1
        else:
            found.append(entry)
        if len(found) % LISTED_AT_ONCE == 0:
            yield progress
    progress.total = len(found)
    known = _known(store)
    yield from _remove_gone(store, known, {os.fsencode(file.path) for file in found}, progress)

    waiting: list[_Read] = []
    for file in found:
        before = known.get(os.fsencode(file.path))
        read = _read(folder, file, before)
        _count(progress, read, before)
        if read is not None:
            waiting.append(read)
        if sum(1 + len(each.passages) for each in waiting) >= AT_ONCE:
            _write(store, waiting)
            waiting = []
        progress.seconds = time.monotonic() - began
        yield progress
    _write(store, waiting)
    progress.seconds = time.monotonic() - began
    yield progress


def _known(store: Store) -> dict[bytes, _Known]:
    with failures_in_words(store.name):
        rows = store.base.execute("SELECT path, id, size, changed, digest, unfit FROM files")
        return {bytes(path): _Known(*rest) for path, *rest in rows}


def _read(folder: Path, file: File, known: _Known | None) -> _Read | None:
    """Read a file and split it into passages.

    Returns None if the size and modification time of the file have not changed.
    """
    if known is not None and (known.size, known.changed) == (file.size, file.changed):
        return None
    try:
        data = folder_.read(folder, file)
    except Unfit as reason:
        return _Read(file, known, b"", str(reason), ())
    digest = blake2b(data, digest_size=16).digest()
    if known is not None and known.digest == digest:
        return _Read(file, known, digest, known.unfit, ())
    try:
        text = folder_.text_of(data)
    except Unfit as reason:
        return _Read(file, known, digest, str(reason), ())
    name = folder_.name_of(file.path)
    return _Read(file, known, digest, "", tuple(chunks(text, name)))


def _count(progress: Progress, read: _Read | None, known: _Known | None) -> None:
    progress.done += 1
    unfit = read.unfit if read else known.unfit if known else ""
    if unfit:
        progress.left_out[unfit] += 1
    elif read is None or (known is not None and known.digest == read.digest):
        progress.unchanged += 1
    elif known is None:
        progress.new += 1
    else:
        progress.changed += 1
    progress.passages += len(read.passages) if read else 0


def _write(store: Store, waiting: list[_Read]) -> None:
    if not waiting:
        return
    with failures_in_words(store.name), transaction(store.base):
        for read in waiting:
            _put(store, read)


def _put(store: Store, read: _Read) -> None:
    file = read.file
    about = (file.size, file.changed, read.digest, read.unfit)
    if read.known is not None:
        store.base.execute(
            "UPDATE files SET size = ?, changed = ?, digest = ?, unfit = ? WHERE id = ?",
            (*about, read.known.id),
        )
        if read.known.digest == read.digest and read.digest:
            return
        number = read.known.id
        _remove_passages(store, number)
    else:
        cursor = store.base.execute(
            "INSERT INTO files(path, size, changed, digest, unfit) VALUES (?, ?, ?, ?, ?)",
            (os.fsencode(file.path), *about),
        )
        number = int(cursor.lastrowid or 0)
    for passage in read.passages:
        store.put(number, passage)


def _remove_gone(
    store: Store, known: dict[bytes, _Known], there: set[bytes], progress: Progress
) -> Iterator[Progress]:
    gone = [each.id for path, each in known.items() if path not in there]
    for begin in range(0, len(gone), AT_ONCE):
        some = gone[begin : begin + AT_ONCE]
        with failures_in_words(store.name), transaction(store.base):
            for number in some:
                _remove_passages(store, number)
                store.base.execute("DELETE FROM files WHERE id = ?", (number,))
        progress.gone += len(some)
        yield progress


def _remove_passages(store: Store, file: int) -> None:
    rows = store.base.execute("SELECT id FROM places WHERE file = ?", (file,)).fetchall()
    full_text.remove(store.base, (number for (number,) in rows))
    store.base.execute("DELETE FROM places WHERE file = ?", (file,))

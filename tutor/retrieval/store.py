"""Indexes on disk: one SQLite file for each indexed folder, in the user's cache folder.

The files use SQLite's default journal instead of a write-ahead log. A write-ahead log would not
work if the home folder is on a network drive, because it requires shared memory. If a process is
killed, the index contains everything up to the last complete transaction.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import msgspec

from tutor import paths, private
from tutor.errors import NoHome, UsageError
from tutor.retrieval import full_text
from tutor.retrieval.errors import RetrievalError
from tutor.retrieval.folder import name_of
from tutor.retrieval.passage import Found, Passage

COURSE = "course"
"""The name of the course's index, which always exists and is never stored on disk."""

PATIENCE = 5.0
"""The number of seconds to wait while another process writes to the index.

A process locks the index only while it writes a few hundred passages.
"""

_VERSION = 1
"""The version of the tables below. An index with a different version cannot be used."""
_NAME = re.compile(r"\w[\w.-]{0,39}")
_SUFFIX = ".sqlite"

_TABLES = (
    "CREATE TABLE about(folder BLOB NOT NULL)",
    """CREATE TABLE files(
        id INTEGER PRIMARY KEY,
        path BLOB NOT NULL UNIQUE,
        size INTEGER NOT NULL,
        changed INTEGER NOT NULL,  -- nanoseconds
        digest BLOB NOT NULL,
        unfit TEXT NOT NULL  -- why it has no passages, or empty
    )""",
    """CREATE TABLE places(
        id INTEGER PRIMARY KEY,  -- of a passage; the full-text table has it as its rowid
        file INTEGER NOT NULL REFERENCES files,
        name TEXT NOT NULL,
        anchor TEXT NOT NULL,
        line INTEGER NOT NULL
    )""",
    "CREATE INDEX places_of_a_file ON places(file)",
)


class Listed(msgspec.Struct, frozen=True):
    """A description of an index for `tutor rag list`.

    Other programs read its JSON, so don't rename fields.
    """

    name: str
    folder: str
    files: int
    passages: int
    bytes: int


class Store:
    """An open index. Use it only in the thread that opened it."""

    def __init__(self, file: Path, base: sqlite3.Connection) -> None:
        self.file = file
        self.base = base

    @property
    def name(self) -> str:
        return self.file.name.removesuffix(_SUFFIX)

    @property
    def folder(self) -> Path:
        """The folder whose files are indexed."""
        with failures_in_words(self.name):
            (folder,) = self.base.execute("SELECT folder FROM about").fetchone()
        return Path(os.fsdecode(folder))

    def search(self, query: str, limit: int, also: Passage | None = None) -> list[Found]:
        """Return up to `limit` passages for a query, best first. Raises `RetrievalError`.

        The passage `also` is added to the index only for this search.
        """
        with failures_in_words(self.name):
            if also is None:
                return list(self._search(query, limit))
            self.base.execute("BEGIN IMMEDIATE")
            try:
                self.put(0, also)
                return list(self._search(query, limit))
            finally:
                self.base.execute("ROLLBACK")

    def _search(self, query: str, limit: int) -> Iterator[Found]:
        for number, heading, text, score in full_text.find(self.base, query, limit):
            plain, marks = full_text.unmarked(text)
            yield Found(self._passage(number, heading, plain), score, marks)

    def put(self, file: int, passage: Passage) -> None:
        """Add a passage of the file with the id `file`. Call this only in a transaction."""
        cursor = self.base.execute(
            "INSERT INTO places(file, name, anchor, line) VALUES (?, ?, ?, ?)",
            (file, passage.source, passage.anchor, passage.line),
        )
        full_text.add(self.base, int(cursor.lastrowid or 0), passage)

    def passages(self) -> Iterator[Passage]:
        """Yield all passages, file by file."""
        with failures_in_words(self.name):
            rows = self.base.execute("SELECT rowid, heading, text FROM passages ORDER BY rowid")
            for number, heading, text in rows:
                yield self._passage(number, heading, text)

    def _passage(self, number: int, heading: str, text: str) -> Passage:
        name, anchor, line = self.base.execute(
            "SELECT name, anchor, line FROM places WHERE id = ?", (number,)
        ).fetchone()
        return Passage(name, anchor, line, heading, text)

    def listed(self) -> Listed:
        with failures_in_words(self.name):
            (files,) = self.base.execute("SELECT count(*) FROM files WHERE unfit = ''").fetchone()
            (passages,) = self.base.execute("SELECT count(*) FROM places").fetchone()
        size = self.file.stat().st_size
        return Listed(self.name, name_of(self.folder), files, passages, size)

    def close(self) -> None:
        self.base.close()


@contextmanager
def opened(name: str) -> Iterator[Store]:
    """Open an index for searching.

    Raises `RetrievalError` if the index does not exist or cannot be used.
    """
    with closing(_connect(_existing(name))) as store:
        if not _tables(store.base, name):
            raise RetrievalError(
                f"The index {name!r} is empty: indexing was stopped before the first file.",
                "Index its folder again: `tutor rag index PATH`.",
            )
        yield store


@contextmanager
def opened_to_write(name: str, folder: Path) -> Iterator[Store]:
    """Open the index of `folder` for writing, and create it if it does not exist.

    Raises `RetrievalError` if another process is writing to the index, or if the index with this
    name belongs to another folder.
    """
    file = file_of(name)
    with failures_in_words(name):
        private.make_folder(file.parent)
    with _locked(file, name, "Wait until that is done, or choose another name with --name."):
        with failures_in_words(name):  # SQLite gives the journal the index file's permissions
            os.close(private.open_file(file, os.O_RDWR | os.O_CREAT))
        with closing(_connect(file)) as store:
            _prepare(store, folder)
            yield store


def remove(name: str) -> None:
    """Delete an index.

    Raises `RetrievalError` if the index does not exist or another process is writing to it.
    """
    file = _existing(name)
    with _locked(file, name, "Wait until that is done."), failures_in_words(name):
        for each in (file, file.with_name(f"{file.name}-journal")):
            each.unlink(missing_ok=True)
    with suppress(OSError):
        file.with_suffix(".lock").unlink(missing_ok=True)


@contextmanager
def _locked(file: Path, name: str, next_step: str) -> Iterator[None]:
    """Lock the index for writing in the `with` block.

    Raises `RetrievalError` if another process is writing to the index now.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(file.with_suffix(".lock"), timeout=0, mode=private.FILE)
    with failures_in_words(name):
        try:
            lock.acquire()
        except Timeout as error:
            raise RetrievalError(
                f"Another tutor process is writing to the index {name!r}.", next_step
            ) from error
    try:
        yield
    finally:
        lock.release()


def names() -> list[str]:
    """Return the names of all indexes on disk, most recently changed first."""
    try:
        files = [file for file in paths.indexes_folder().glob(f"*{_SUFFIX}") if file.is_file()]
        files.sort(key=lambda file: (-file.stat().st_mtime_ns, file.name))
    except (OSError, NoHome):
        return []
    return [file.name.removesuffix(_SUFFIX) for file in files]


def file_of(name: str) -> Path:
    """Return the path of an index, given its name. Raises `UsageError` if the name is invalid."""
    if not _NAME.fullmatch(name) or name == COURSE:
        raise UsageError(
            f"{name!r} cannot be the name of an index.",
            "Use up to 40 letters, digits, '-', '_' or '.', starting with a letter or digit"
            f" (and not {COURSE!r}, which is the course itself).",
        )
    return paths.indexes_folder() / f"{name}{_SUFFIX}"


def _existing(name: str) -> Path:
    file = file_of(name)
    if not file.is_file():
        raise RetrievalError(
            f"There is no index {name!r}.", "List all indexes with `tutor rag list`."
        )
    return file


def name_for(folder: Path) -> str:
    """Return a valid index name that is similar to the name of the folder."""
    fit = re.sub(r"[^\w.-]+", "-", folder.name).strip("-._")[:40]
    return fit if _NAME.fullmatch(fit) and fit != COURSE else "texts"


@contextmanager
def failures_in_words(name: str) -> Iterator[None]:
    """Convert errors of SQLite and of the disk in the `with` block to a `RetrievalError`."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise RetrievalError(
                f"Another program is writing to the index {name!r}.", "Try again in a moment."
            ) from error
        raise RetrievalError(
            f"The index {name!r} cannot be used: {error}.",
            "Free some disk space, or check that the folder is writable.",
        ) from error
    except sqlite3.DatabaseError as error:
        raise RetrievalError(
            f"The index {name!r} is damaged: {error}.",
            f"Run `tutor rag remove {name}`, then index its folder again.",
        ) from error
    except OSError as error:
        raise RetrievalError(
            f"The index {name!r} cannot be used: {error.strerror}.",
            "Check the disk and its permissions.",
        ) from error


def _connect(file: Path) -> Store:
    full_text.require_fts5()
    name = file.name.removesuffix(_SUFFIX)
    with failures_in_words(name):
        base = sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)
        base.execute("PRAGMA cache_size = -16000")
    return Store(file, base)


def _tables(base: sqlite3.Connection, name: str) -> bool:
    """Return True if the index has tables, False if it is empty.

    Raises `RetrievalError` if another version of tutor created the tables.
    """
    with failures_in_words(name):
        (version,) = base.execute("PRAGMA user_version").fetchone()
        (tables,) = base.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and version != _VERSION:
        raise RetrievalError(
            f"The index {name!r} was created by another version of tutor.",
            f"Run `tutor rag remove {name}`, then index its folder again.",
        )
    return bool(tables)


def _prepare(store: Store, folder: Path) -> None:
    base = store.base
    if _tables(base, store.name):
        if store.folder != folder:
            raise RetrievalError(
                f"The index {store.name!r} belongs to another folder, {name_of(store.folder)}.",
                "Choose another name with --name, or remove that index first.",
            )
        return
    with failures_in_words(store.name), transaction(base):
        for statement in _TABLES:
            base.execute(statement)
        full_text.create(base)
        base.execute("INSERT INTO about VALUES (?)", (os.fsencode(folder),))
        base.execute(f"PRAGMA user_version = {_VERSION}")


@contextmanager
def transaction(base: sqlite3.Connection) -> Iterator[None]:
    """Run the `with` block as one transaction.

    If the block raises an exception, all of its changes are rolled back.
    """
    base.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            base.execute("ROLLBACK")
        raise
    base.execute("COMMIT")

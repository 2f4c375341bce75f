"""Indexes on disk, each of one folder: one SQLite file by name in the user's cache folder.

The journal is SQLite's usual one and not a write-ahead log: that needs memory shared among
processes, which a home folder on a network drive does not have. With it a process may be killed at
any time: the next one finds everything up to the last whole transaction.
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
"""The name of what is always there, and never on disk."""

PATIENCE = 5.0
"""Seconds to wait for another process that has just begun to write: it holds a lock as long as it
takes to write down some hundred passages."""

_VERSION = 1
"""Of the tables below: an index of another version is made anew."""
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
    """One index, as `tutor rag list` shows it; other tools rely on the JSON."""

    name: str
    folder: str
    files: int
    passages: int
    bytes: int


class Store:
    """An open index. Use it in one thread."""

    def __init__(self, file: Path, base: sqlite3.Connection) -> None:
        self.file = file
        self.base = base

    @property
    def name(self) -> str:
        return self.file.name.removesuffix(_SUFFIX)

    @property
    def folder(self) -> Path:
        """The folder that it is an index of."""
        with failures_in_words(self.name):
            (folder,) = self.base.execute("SELECT folder FROM about").fetchone()
        return Path(os.fsdecode(folder))

    def search(self, query: str, limit: int, also: Passage | None = None) -> list[Found]:
        """The best passages for a query. `also` is one more, which is in the index for this search
        alone. Raises `RetrievalError`."""
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
        """Add a passage of the file with this number; to be called in a transaction."""
        cursor = self.base.execute(
            "INSERT INTO places(file, name, anchor, line) VALUES (?, ?, ?, ?)",
            (file, passage.source, passage.anchor, passage.line),
        )
        full_text.add(self.base, int(cursor.lastrowid or 0), passage)

    def passages(self) -> Iterator[Passage]:
        """All of them, file by file."""
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
    """The index of this name, to be searched. Raises `RetrievalError`."""
    with closing(_connect(_existing(name))) as store:
        if not _tables(store.base, name):
            raise RetrievalError(
                f"The index {name!r} is empty: it was stopped before it began.",
                "Index its folder again: `tutor rag index PATH`.",
            )
        yield store


@contextmanager
def opened_to_write(name: str, folder: Path) -> Iterator[Store]:
    """The index of this name, made where there is none. One process at a time: raises
    `RetrievalError` where another is at it, and for a name that another folder has."""
    file = file_of(name)
    with failures_in_words(name):
        private.make_folder(file.parent)
    with _locked(file, name, "Wait until it is done, or give this one another name with --name."):
        with failures_in_words(name):  # SQLite gives a journal the mode that its file has
            os.close(private.open_file(file, os.O_RDWR | os.O_CREAT))
        with closing(_connect(file)) as store:
            _prepare(store, folder)
            yield store


def remove(name: str) -> None:
    """Deletes an index. Raises `RetrievalError` where there is none, or while it is written."""
    file = _existing(name)
    with _locked(file, name, "Wait until it is done."), failures_in_words(name):
        for each in (file, file.with_name(f"{file.name}-journal")):
            each.unlink(missing_ok=True)
    with suppress(OSError):
        file.with_suffix(".lock").unlink(missing_ok=True)


@contextmanager
def _locked(file: Path, name: str, next_step: str) -> Iterator[None]:
    """Keep others from writing to the index. Raises `RetrievalError` if one is doing so."""
    from filelock import FileLock, Timeout

    lock = FileLock(file.with_suffix(".lock"), timeout=0, mode=private.FILE)
    with failures_in_words(name):
        try:
            lock.acquire()
        except Timeout as error:
            raise RetrievalError(
                f"Another tutor is at work on the index {name!r}.", next_step
            ) from error
    try:
        yield
    finally:
        lock.release()


def names() -> list[str]:
    """Of all indexes, the one that was changed last first."""
    try:
        files = [file for file in paths.indexes_folder().glob(f"*{_SUFFIX}") if file.is_file()]
        files.sort(key=lambda file: (-file.stat().st_mtime_ns, file.name))
    except (OSError, NoHome):
        return []
    return [file.name.removesuffix(_SUFFIX) for file in files]


def file_of(name: str) -> Path:
    """Raises `UsageError` for what is not fit for the name of an index."""
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
            f"There is no index {name!r}.", "`tutor rag list` names those that there are."
        )
    return file


def name_for(folder: Path) -> str:
    """A name for the index of a folder: what of the folder's own name is fit for one."""
    fit = re.sub(r"[^\w.-]+", "-", folder.name).strip("-._")[:40]
    return fit if _NAME.fullmatch(fit) and fit != COURSE else "texts"


@contextmanager
def failures_in_words(name: str) -> Iterator[None]:
    """What SQLite or the disk says, as a `RetrievalError`."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise RetrievalError(
                f"The index {name!r} is being written by another program.", "Try again in a moment."
            ) from error
        raise RetrievalError(
            f"The index {name!r} cannot be used: {error}.",
            "Make room on the disk, or check that the folder may be written to.",
        ) from error
    except sqlite3.DatabaseError as error:
        raise RetrievalError(
            f"The index {name!r} is damaged: {error}.",
            f"`tutor rag remove {name}`, then index its folder again.",
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
    """Whether they are there. Raises `RetrievalError` for those of another version."""
    with failures_in_words(name):
        (version,) = base.execute("PRAGMA user_version").fetchone()
        (tables,) = base.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and version != _VERSION:
        raise RetrievalError(
            f"The index {name!r} was made by another version.",
            f"`tutor rag remove {name}`, then index its folder again.",
        )
    return bool(tables)


def _prepare(store: Store, folder: Path) -> None:
    base = store.base
    if _tables(base, store.name):
        if store.folder != folder:
            raise RetrievalError(
                f"The index {store.name!r} is of another folder, {name_of(store.folder)}.",
                "Give this one another name with --name, or remove that one first.",
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
    """All of it, or nothing."""
    base.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            base.execute("ROLLBACK")
        raise
    base.execute("COMMIT")

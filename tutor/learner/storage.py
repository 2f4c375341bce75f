"""Store TinyDB's tables in a file that an interrupted write cannot damage.

The file is one JSON object that begins with a header:
`{"about":{"file":{"schema":4,"checksum":"89abcdef"}},"cards":{...},...}`. The checksum is the
CRC-32 of all bytes after the checksum itself, with the schema version as its initial value. So if
the schema version is damaged, the checksum no longer matches, and tutor can tell a damaged file
from a file written by a newer version. All later versions must compute the checksum in the same
way.

Each write creates a temporary file, which replaces the old file. The old file becomes the backup.
"""

import contextlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
from tinydb.storages import Storage

from tutor.learner import disk
from tutor.learner.lock import locked
from tutor.learner.schema import VERSION_CHECKED, Schema, Tables
from tutor.regular_file import read_regular


class About(msgspec.Struct, frozen=True):
    schema: Annotated[int, msgspec.Meta(ge=1)]
    checksum: str


class Description(msgspec.Struct, frozen=True):
    file: About


class Beginning(msgspec.Struct, frozen=True):
    """The header of a file. All other fields of the file are ignored."""

    about: Description


class Contents(msgspec.Struct, frozen=True):
    """The contents of the file or, if the file cannot be used, of its backup.

    `tables` is None if the backup cannot be used either. `problem` says why the file cannot be
    used, for example "is damaged". It is an empty string if the file can be used. `damaged` is True
    if the file exists but cannot be used; it then never replaces the backup. `edited` is True if
    the checksum of the contents is wrong.
    """

    tables: Tables | None
    schema: int = 0
    problem: str = ""
    damaged: bool = False
    edited: bool = False


class Damaged(Exception):
    """Raised if a file is not in the format of this module.

    The message completes a sentence that begins with the name of the file.
    """


_END = b"}},"
"""The bytes at the end of the header."""

_beginning_decoder = msgspec.json.Decoder(Beginning)
_decoder = msgspec.json.Decoder(dict[str, dict[str, dict[str, Any]]])


class AtomicStorage(Storage):
    """A TinyDB storage that replaces its whole file at each write.

    `read` needs neither write permission nor the lock. `write` replaces the file. Within
    `transaction`, both work in memory while the lock is held, and the file is written once at the
    end. If the block raises an exception, the file is not written.

    TinyDB itself reads and writes in two separate calls, and another process could write in
    between. So make all changes in a transaction.
    """

    def __init__(self, path: Path, schema: Schema, timeout: float) -> None:
        self.path = path
        self.backup = path.with_name(path.name + ".bak")
        self.damaged = path.with_name(path.name + ".damaged")
        self.schema = schema
        self._lock = path.with_name("lock")
        self._timeout = timeout
        self._tables: Tables | None = None
        self._in_transaction = False

    def read(self) -> Tables | None:
        return self._tables if self._in_transaction else self.load().tables

    def write(self, data: Tables) -> None:
        if self._in_transaction:
            self._tables = data
        else:
            with self.transaction():
                self.write(data)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Contents]:
        """Read the file, hold the lock during the block, and write the file once at the end.

        Raises `StoreError` or a subclass.
        """
        with locked(self._lock, self._timeout):
            contents = self.load()
            self._tables, self._in_transaction = contents.tables, True
            try:
                yield contents
                if self._tables is not None:
                    self._save(self._tables, contents)
            finally:
                self._tables, self._in_transaction = None, False

    def load(self) -> Contents:
        """Return the contents of the file, or of its backup if the file cannot be used.

        Raises `StoreNewer`, or `StoreError` if the disk cannot be read.
        """
        try:
            return self._sound(self.path)
        except Damaged as error:
            problem = str(error)
        damaged = self.path.exists()
        try:
            sound = self._sound(self.backup)
        except Damaged:
            return Contents(None, problem=problem, damaged=damaged)
        return msgspec.structs.replace(sound, problem=problem, damaged=damaged)

    def _sound(self, path: Path) -> Contents:
        try:
            data = read_regular(path, -1)
        except (FileNotFoundError, NotADirectoryError):
            raise Damaged("is missing") from None
        except OSError as error:
            raise disk.in_words(error, path, "read") from error
        return self._decode(data, path)

    def _decode(self, data: bytes, path: Path) -> Contents:
        if not data:
            raise Damaged("is empty")
        try:
            about = _beginning_decoder.decode(data).about.file
            _, _, rest = data.partition(b'"%s"' % about.checksum.encode())
            whole = about.checksum == _checksum(about.schema, rest)
            if about.schema > self.schema.version and not whole:
                raise Damaged("is damaged")
            # The rest of the file may be different in newer formats.
            self.schema.check(about.schema, str(path))
            tables = _decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Damaged("is damaged") from error
        del tables["about"]
        # The file can be parsed, but its checksum does not match. It was therefore not truncated:
        # someone has edited it, or bits have flipped. Using the backup would lose the edits.
        tables = self.schema.migrate(tables, about.schema)
        return Contents(tables, about.schema, edited=not whole)

    def _save(self, tables: Tables, before: Contents) -> None:
        data = encoded(tables, self.schema.version)
        with disk.failures_in_words(self.path, "saved"):
            disk.replace(self.path, data, lambda _: self._keep_old(before))

    def _keep_old(self, before: Contents) -> None:
        """Save the file that is about to be replaced, either as a damaged file or as the backup."""
        if before.damaged:
            self.path.replace(self.damaged)
        elif self.path.exists():
            disk.keep_copy(self.path, self.backup)
            if before.schema != self.schema.version:
                older = self.path.with_name(f"{self.path.name}.format-{before.schema}")
                disk.keep_copy(self.path, older)


def encoded(tables: Tables, version: int) -> bytes:
    """Return `tables` as the contents of a file with the schema version `version`."""
    rest = _END + msgspec.json.encode(tables or {"log": {}})[1:]
    beginning = b'{"about":{"file":{"schema":%d,"checksum":"%s"'
    return beginning % (version, _checksum(version, rest).encode()) + rest


def _checksum(version: int, rest: bytes) -> str:
    """Return the checksum of a file in which `rest` follows the checksum."""
    if version < VERSION_CHECKED:
        return f"{zlib.crc32(rest.removeprefix(_END)):08x}"
    return f"{zlib.crc32(rest, version):08x}"

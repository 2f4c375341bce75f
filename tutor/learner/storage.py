"""A TinyDB storage that an interruption cannot damage.

The file is one JSON object that begins with its own description:
`{"about":{"file":{"schema":4,"checksum":"89abcdef"}},"cards":{...},...}`. The checksum is the
CRC-32, begun with the number of the schema, of everything after the checksum itself; it stays so
in every later version. So a number that was damaged is told from that of a newer program. Every
write goes to a temporary file that replaces the old one, and the old one stays as the backup.
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


class About(msgspec.Struct, frozen=True):
    schema: Annotated[int, msgspec.Meta(ge=1)]
    checksum: str


class Description(msgspec.Struct, frozen=True):
    file: About


class Beginning(msgspec.Struct, frozen=True):
    """All that is read of a file at first; what follows is passed over."""

    about: Description


class Contents(msgspec.Struct, frozen=True):
    """`tables` is None when neither the file nor its backup can be used, or there is none.

    `problem` says what is wrong with the file ("is empty"), or is empty itself; `damaged` that
    there is a file, which must not become the backup; `edited` that a checksum did not match.
    """

    tables: Tables | None
    schema: int = 0
    problem: str = ""
    damaged: bool = False
    edited: bool = False


class Damaged(Exception):
    """A file is not what this module writes; the argument says how, for a sentence."""


_END = b"}},"
"""Of the description."""

_beginning_decoder = msgspec.json.Decoder(Beginning)
_decoder = msgspec.json.Decoder(dict[str, dict[str, dict[str, Any]]])


class AtomicStorage(Storage):
    """`read` never needs write access or the lock, so that it works everywhere; `write` replaces
    the file. Within `transaction` both work in memory, under the lock, and the file is written
    once at the end, unless an exception leaves the block.

    TinyDB itself reads before it writes, in two calls: whoever changes anything must do it in a
    transaction, or another process may write in between.
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
        """Read once, hold the lock for the block, write once. Raises the `StoreError` family."""
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
        """What the file holds, or else its backup. Raises `StoreNewer`, and `StoreError` when the
        disk does not let us read."""
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
            data = path.read_bytes()
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
            self.schema.check(about.schema, str(path))  # a newer file may look different below
            tables = _decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Damaged("is damaged") from error
        del tables["about"]
        # A mismatch in something that parses: nobody cut it off, someone edited it (or some bits
        # flipped). Falling back to the backup would lose that.
        tables = self.schema.migrate(tables, about.schema)
        return Contents(tables, about.schema, edited=not whole)

    def _save(self, tables: Tables, before: Contents) -> None:
        data = encoded(tables, self.schema.version)
        with disk.failures_in_words(self.path, "saved"):
            temporary = disk.write_temporary(self.path, data)
            if before.damaged:
                self.path.replace(self.damaged)
            elif self.path.exists():
                disk.keep_copy(self.path, self.backup)
                if before.schema != self.schema.version:
                    older = self.path.with_name(f"{self.path.name}.format-{before.schema}")
                    disk.keep_copy(self.path, older)
            disk.move(temporary, self.path)
            disk.sync_folder(self.path.parent)


def encoded(tables: Tables, version: int) -> bytes:
    """The file of `tables` in the schema `version`."""
    rest = _END + msgspec.json.encode(tables or {"log": {}})[1:]
    beginning = b'{"about":{"file":{"schema":%d,"checksum":"%s"'
    return beginning % (version, _checksum(version, rest).encode()) + rest


def _checksum(version: int, rest: bytes) -> str:
    """Of a file of the schema `version` that has `rest` after its checksum."""
    if version < VERSION_CHECKED:
        return f"{zlib.crc32(rest.removeprefix(_END)):08x}"
    return f"{zlib.crc32(rest, version):08x}"
